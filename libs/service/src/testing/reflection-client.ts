import { on } from 'node:events';
import { createRequire } from 'node:module';
import path from 'node:path';
import { credentials, makeGenericClientConstructor, type ClientDuplexStream } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { onTestFinished } from 'vitest';

export type ReflectionVersion = 'v1' | 'v1alpha';

export type Question =
  | { readonly listServices: string }
  | { readonly fileContainingSymbol: string }
  | { readonly fileByFilename: string };

export interface Answer {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Buffer[] };
  readonly errorResponse?: { readonly errorCode: number; readonly errorMessage: string };
}

const METHOD = 'ServerReflectionInfo';
const packageFolder = path.dirname(createRequire(import.meta.url).resolve('@grpc/reflection/package.json'));

/** Asks the reflection service at `address` one question after the other, on one stream. */
export function reflectionClient(
  address: string,
  version: ReflectionVersion,
): (question: Question) => Promise<Answer> {
  const proto = path.join(packageFolder, `build/proto/grpc/reflection/${version}/reflection.proto`);
  const definition = loadSync(proto)[`grpc.reflection.${version}.ServerReflection`];
  const Client = makeGenericClientConstructor(definition as never, 'ServerReflection');
  const client = new Client(address, credentials.createInsecure());
  const stream = (client[METHOD] as () => ClientDuplexStream<Question, Answer>).call(client);
  onTestFinished(() => {
    stream.end();
    client.close();
  });
  const answers = on(stream, 'data') as AsyncIterator<[Answer]>;
  return async (question) => {
    stream.write(question);
    const next = await answers.next();
    if (next.done === true) throw new Error('the reflection stream ended');
    return next.value[0];
  };
}
