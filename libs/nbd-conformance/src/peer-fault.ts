/** The server did not do what can be gone on from: it closed, kept silent, or sent what is no message. */
export class PeerFault extends Error {
  override readonly name = 'PeerFault';
}
