import type { RequestOf, ResponseOf, ServiceDefinition } from '@holdfast/contracts';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { Observable } from 'rxjs';

/** What a controller of a generated service definition must offer. */
export type GrpcControllerOf<S extends ServiceDefinition> = {
  [M in keyof S]: S[M] extends { responseStream: true }
    ? (request: RequestOf<S[M]>) => Observable<ResponseOf<S[M]>>
    : (request: RequestOf<S[M]>) => Promise<ResponseOf<S[M]>> | ResponseOf<S[M]>;
};

/**
 * Makes a class the Nest controller of a service definition: a method that is missing or has other types does not
 * compile, and each is bound to its RPC by the definition's own path.
 */
export function GrpcController<S extends ServiceDefinition>(definition: S) {
  return (target: abstract new (...args: never[]) => GrpcControllerOf<S>): void => {
    Controller()(target);
    for (const [name, method] of Object.entries(definition)) {
      const [, service] = method.path.split('/');
      const prototype = target.prototype as object;
      const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
      if (service === undefined || descriptor === undefined) {
        throw new TypeError(`${target.name} does not implement ${method.path}`);
      }
      // Nest binds by the definition's keys, which ts-proto writes in lower camel case.
      GrpcMethod(service.slice(service.lastIndexOf('.') + 1), name)(prototype, name, descriptor);
    }
  };
}
