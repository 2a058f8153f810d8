/** What the thread of the caller and the thread that computes say to each other. */
import { type ErrorCode, SherryError } from "../errors.ts";
import type { GenerateOptions, GenerationChunk, ModelInfo, Prompt } from "../generation/types.ts";
import type { PackedModelOptions } from "../model/packed-model.ts";

/** An error as data: what structured cloning would lose of a SherryError. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly summary: string;
  readonly expected: string | undefined;
  readonly received: string | undefined;
  readonly next_step: string | undefined;
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
  if (error instanceof SherryError) {
    const { code, summary, expected, received, next_step } = error;
    return { code, summary, expected, received, next_step };
  }
  const summary = error instanceof Error ? error.message : String(error);
  return { code: "internal", summary, expected: undefined, received: undefined, next_step: undefined };
}

export function errorFrom({ code, summary, expected, received, next_step }: ErrorData): SherryError {
  return new SherryError(code, summary, {
    ...(expected === undefined ? {} : { expected }),
    ...(received === undefined ? {} : { received }),
    ...(next_step === undefined ? {} : { next_step }),
  });
}
