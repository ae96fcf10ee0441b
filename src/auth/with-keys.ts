/** What `keys` made: its clients have a secret in their configuration. Told of an authorization server, they would go there instead. */
export const withKeys = new WeakSet<object>();
