/** Takes the place of `ajv-formats` in the Worker, beside {@link ./ajv.ts}, which knows the formats by itself. */
export default function addFormats(): void {}
