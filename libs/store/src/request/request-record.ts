/** What is known of a request that its caller may repeat under the same id. */
export interface RequestRecord {
  /** A UUID, lower case. */
  readonly id: string;
  /** The latest change of state that was made for it, by the name of the state; absent before the first. */
  readonly effect?: string;
  /** The attachment that changed; absent when the change was the device's own. */
  readonly attachmentId?: string;
  /** What it was answered with; absent until it was, and when it failed. */
  readonly response?: Uint8Array;
}
