import { allocatorName, formatPageToken, parsePage, programName, verifierV1 } from '@holdfast/contracts';
import { GrpcController, type GrpcControllerOf } from '@holdfast/service';
import { Inject } from '@nestjs/common';
import { AllocatorReconciler } from '../allocator/allocator.reconciler.js';
import { Lifetimes } from '../lifetimes/lifetimes.js';
import { STORE, type StoreToken } from '../store.provider.js';
import { toDisassembly, toLoadResponse, toProgramMessage } from './program-message.js';
import { parseLoad } from './program-form.js';
import { ProgramRunner } from './program-runner.js';
import { ProgramService, verifiedOf } from './program.service.js';

@GrpcController(verifierV1.ProgramServiceService)
export class ProgramController implements GrpcControllerOf<verifierV1.ProgramServiceService> {
  constructor(
    @Inject(STORE) private readonly store: StoreToken,
    private readonly programs: ProgramService,
    private readonly runner: ProgramRunner,
    private readonly lifetimes: Lifetimes,
    private readonly reconciler: AllocatorReconciler,
  ) {}

  async loadProgram({
    program,
    verbose,
  }: verifierV1.LoadProgramRequest): Promise<verifierV1.LoadProgramResponse> {
    return toLoadResponse(await this.programs.load(parseLoad(program), verbose));
  }

  async runProgram(request: verifierV1.RunProgramRequest): Promise<verifierV1.RunProgramResponse> {
    return this.runner.run(
      programName.parse(request.name),
      Object.fromEntries(Object.entries(request.arguments)),
    );
  }

  async unloadProgram(request: verifierV1.UnloadProgramRequest): Promise<verifierV1.UnloadProgramResponse> {
    const destroyed = await this.programs.unload(programName.parse(request.name));
    if (destroyed.length > 0) await this.reconciler.look();
    return { destroyedAllocators: destroyed.map(allocatorName.format) };
  }

  async getProgram(request: verifierV1.GetProgramRequest): Promise<verifierV1.Program> {
    return toProgramMessage(await this.store.programs.get(programName.parse(request.name)));
  }

  async listPrograms(request: verifierV1.ListProgramsRequest): Promise<verifierV1.ListProgramsResponse> {
    const { items, next } = await this.store.programs.list(parsePage(request));
    return { programs: items.map(toProgramMessage), nextPageToken: formatPageToken(next) };
  }

  disassembleProgram(request: verifierV1.DisassembleProgramRequest): verifierV1.DisassembleProgramResponse {
    const program = this.programs.get(programName.parse(request.name));
    return toDisassembly(verifiedOf(this.lifetimes, program), this.lifetimes.memory);
  }
}
