/** What a session did so far; totals since it began. */
export class TransmissionCounters {
  /** Requests taken up, DISC not among them: it has no reply. */
  requests = 0;
  /** Bytes that READs read. */
  bytesRead = 0;
  /** Bytes that WRITEs wrote. */
  bytesWritten = 0;
  /** Requests answered with an error, and the one whose error could not be told (T10). */
  errors = 0;
}
