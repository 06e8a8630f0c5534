import { allocatorName, formatPageToken, parsePage, verifierV1 } from '@holdfast/contracts';
import { GrpcController, type GrpcControllerOf } from '@holdfast/service';
import type { AllocatorRecord } from '@holdfast/store';
import { Inject } from '@nestjs/common';
import { ChunkPools } from '../chunk/chunk-pools.js';
import { Lifetimes } from '../lifetimes/lifetimes.js';
import { STORE, type StoreToken } from '../store.provider.js';
import { parseAllocator, toAllocatorMessage } from './allocator-message.js';
import { AllocatorReconciler } from './allocator.reconciler.js';
import { AllocatorService } from './allocator.service.js';

@GrpcController(verifierV1.AllocatorServiceService)
export class AllocatorController implements GrpcControllerOf<verifierV1.AllocatorServiceService> {
  constructor(
    @Inject(STORE) private readonly store: StoreToken,
    private readonly allocators: AllocatorService,
    private readonly reconciler: AllocatorReconciler,
    private readonly pools: ChunkPools,
    private readonly lifetimes: Lifetimes,
  ) {}

  async createAllocator(request: verifierV1.CreateAllocatorRequest): Promise<verifierV1.Allocator> {
    const wanted = parseAllocator(request);
    try {
      return this.#message(await this.allocators.create(wanted));
    } catch (error) {
      void this.reconciler.look();
      throw error;
    }
  }

  async getAllocator(request: verifierV1.GetAllocatorRequest): Promise<verifierV1.Allocator> {
    return this.#message(await this.store.allocators.get(allocatorName.parse(request.name)));
  }

  async listAllocators(
    request: verifierV1.ListAllocatorsRequest,
  ): Promise<verifierV1.ListAllocatorsResponse> {
    const { items, next } = await this.store.allocators.list(parsePage(request));
    return { allocators: items.map((record) => this.#message(record)), nextPageToken: formatPageToken(next) };
  }

  async destroyAllocator(
    request: verifierV1.DestroyAllocatorRequest,
  ): Promise<verifierV1.DestroyAllocatorResponse> {
    const name = allocatorName.parse(request.name);
    try {
      const left = await this.allocators.destroy(name);
      return { allocator: left === undefined ? undefined : this.#message(left) };
    } finally {
      void this.reconciler.look();
    }
  }

  async explainAllocator(
    request: verifierV1.ExplainAllocatorRequest,
  ): Promise<verifierV1.AllocatorExplanation> {
    const record = await this.store.allocators.get(allocatorName.parse(request.name));
    const { values, rows } = await this.store.allocators.users(record.number);
    const { table } = this.lifetimes.memory;
    const chain =
      table.stateOf(record.name) === undefined
        ? []
        : table.whyAlive(record.name, this.lifetimes.isEmpty).words;
    return {
      allocator: this.#message(record),
      values: BigInt(values),
      rows: BigInt(rows),
      chain: [...chain],
    };
  }

  #message(record: AllocatorRecord): verifierV1.Allocator {
    return toAllocatorMessage(record, this.pools.find(record.number));
  }
}
