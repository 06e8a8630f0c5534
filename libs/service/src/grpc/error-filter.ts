import { HoldfastError, messageOf } from '@holdfast/foundation';
import { toGrpcFailure } from '@holdfast/contracts';
import { Catch, type ExceptionFilter } from '@nestjs/common';
import { throwError, type Observable } from 'rxjs';
import type { Logger } from '../log.js';

/** The last step of every failed call: our errors go out with their ErrorInfo, anything else is a bug and INTERNAL. */
@Catch()
export class GrpcErrorFilter implements ExceptionFilter {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  catch(exception: unknown): Observable<never> {
    const known = exception instanceof HoldfastError;
    if (!known) this.#logger.error({ err: exception }, 'unexpected error in a call');
    const error = known ? exception : new HoldfastError('INTERNAL', messageOf(exception));
    return throwError(() => toGrpcFailure(error));
  }
}
