/**
 * The public surface: load a packed model and generate text, or mount the server in an app of your own.
 *
 *   const model = await loadModel("model.sherry");
 *   for await (const { text } of model.generate("Once upon a time", { max_tokens: 64 })) process.stdout.write(text);
 *   await model.close();
 */
export { type ErrorCode, SherryError } from "./errors.ts";
export type {
  ChatMessage,
  Finish,
  FinishReason,
  GenerateOptions,
  GenerationChunk,
  Model,
  ModelInfo,
  Prompt,
} from "./generation/types.ts";
export { type LoadOptions, loadModel } from "./scheduler/load-model.ts";
export { createApp, type ServerOptions } from "./server/app.ts";
export { type ListenOptions, type RunningServer, startServer } from "./server/start-server.ts";
