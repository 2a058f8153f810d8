/** What the thread of the caller and the thread that computes say to each other. */
import { type ErrorCode, SherryError } from "../errors.ts";
import type { GenerateOptions, GenerationChunk, ModelInfo, Prompt } from "../generation/types.ts";
import type { PackedModelOptions } from "../model/packed-model.ts";

/** An error as data: what structured cloning would lose of a SherryError. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly message: string;
}

export interface WorkerSettings extends PackedModelOptions {
  readonly path: string;
  readonly id: string;
  readonly max_sequences: number;
}

export type ToWorker =
  | { readonly type: "open"; readonly settings: WorkerSettings }
  | {
      readonly type: "start";
      readonly request_id: number;
      readonly prompt: Prompt;
      readonly options: Omit<GenerateOptions, "signal">;
      /** Int32 [1] in shared memory; nonzero ends the answer, even in the middle of a pass. */
      readonly abort_flag: Int32Array<SharedArrayBuffer>;
    }
  | { readonly type: "close" };

export type FromWorker =
  | { readonly type: "opened"; readonly info: ModelInfo }
  | { readonly type: "open_failed"; readonly error: ErrorData }
  | { readonly type: "chunk"; readonly request_id: number; readonly chunk: GenerationChunk }
  | { readonly type: "failed"; readonly request_id: number; readonly error: ErrorData }
  | { readonly type: "aborted"; readonly request_id: number }
  | { readonly type: "closed" };

export function errorData(error: unknown): ErrorData {
  if (error instanceof SherryError) return { code: error.code, message: error.message };
  return { code: "internal", message: error instanceof Error ? error.message : String(error) };
}

export function errorFrom(data: ErrorData): SherryError {
  return new SherryError(data.code, data.message);
}
