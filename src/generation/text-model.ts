/**
 * A packed model together with its tokenizer and chat template: what turns a prompt into token ids and knows the
 * defaults of a request. It lives in the thread that computes.
 */
import { randomInt } from "node:crypto";
import { SherryError } from "../errors.ts";
import { PackedModel, type PackedModelOptions } from "../model/packed-model.ts";
import { type ChatTemplate, loadChatTemplate } from "../tokenizer/chat-template.ts";
import { loadTokenizer, type Tokenizer } from "../tokenizer/tokenizer.ts";
import type { GenerateOptions, Prompt } from "./types.ts";

/** A request's settings with every default filled in. */
export interface ResolvedOptions {
  readonly max_tokens: number;
  readonly temperature: number;
  readonly top_k: number;
  readonly top_p: number;
  readonly min_p: number;
  readonly repetition_penalty: number;
  readonly seed: number;
  readonly stop: readonly string[];
}

/** Seeds drawn when a request names none; small enough to be typed again. */
const DRAWN_SEED_LIMIT = 2 ** 32;

export class TextModel {
  readonly model: PackedModel;
  readonly tokenizer: Tokenizer;
  readonly end_token_ids: ReadonlySet<number>;
  readonly #chat_template: ChatTemplate | null;

  /** @throws SherryError as PackedModel.open, loadTokenizer and loadChatTemplate do. */
  static open(path: string, options: PackedModelOptions): TextModel {
    const model = PackedModel.open(path, options);
    try {
      return new TextModel(model);
    } catch (error) {
      model.close();
      throw error;
    }
  }

  private constructor(model: PackedModel) {
    const { directory, tokenizer } = model;
    if (tokenizer === null) {
      throw new SherryError("tokenizer_invalid", "the packed file", {
        expected: "a tokenizer",
        received: "none",
        next_step: "Pack the checkpoint again with its tokenizer.json beside the weights",
      });
    }
    this.model = model;
    this.tokenizer = loadTokenizer(tokenizer, directory.tokenizer_config);
    this.#chat_template =
      directory.chat_template === null
        ? null
        : loadChatTemplate(directory.chat_template, directory.tokenizer_config);
    this.end_token_ids = new Set(directory.config.eos_token_ids);
  }

  get has_chat_template(): boolean {
    return this.#chat_template !== null;
  }

  /**
   * The prompt's token ids, at least one, and room for at least one more in the context.
   * @throws SherryError argument_invalid | context_exceeded | chat_template_invalid
   */
  encodePrompt(prompt: Prompt): Uint32Array {
    const ids = this.#encode(prompt);
    const { vocab_size } = this.model.directory.config;
    const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocab_size);
    if (wrong !== undefined) {
      throw new SherryError("argument_invalid", "prompt", {
        expected: `token ids from 0 to ${vocab_size - 1}`,
        received: String(wrong),
      });
    }
    if (ids.length === 0) {
      throw new SherryError("argument_invalid", "prompt", {
        expected: "at least one token",
        received: "none",
        next_step: "This model's tokenizer adds no start token, so the prompt must not be empty",
      });
    }
    const { context_tokens } = this.model;
    if (ids.length >= context_tokens) {
      throw new SherryError("context_exceeded", "the prompt leaves no room for an answer", {
        expected: `fewer than ${context_tokens} tokens`,
        received: String(ids.length),
        next_step: "Shorten the prompt or open the model with a larger context",
      });
    }
    return Uint32Array.from(ids);
  }

  #encode(prompt: Prompt): readonly number[] {
    if ("token_ids" in prompt) return prompt.token_ids;
    if ("text" in prompt) return this.tokenizer.encode(prompt.text, { add_special_tokens: true });
    if (this.#chat_template === null) {
      throw new SherryError("chat_template_invalid", "this model has no chat template", {
        expected: "a plain prompt",
        received: "messages",
        next_step: "Use /v1/completions or a model that was packed with a chat template",
      });
    }
    const text = this.#chat_template.render(prompt.messages, { add_generation_prompt: true });
    // The template has written the special tokens already.
    return this.tokenizer.encode(text, { add_special_tokens: false });
  }

  /**
   * Fills in what a request leaves open: the model's own generation defaults, then neutral values.
   * @throws SherryError argument_invalid for max_tokens; the sampler checks its own settings.
   */
  resolve(options: GenerateOptions): ResolvedOptions {
    const { max_tokens } = options;
    if (max_tokens !== undefined && (!Number.isSafeInteger(max_tokens) || max_tokens < 1)) {
      throw new SherryError("argument_invalid", "max_tokens", {
        expected: "an integer of at least 1",
        received: String(max_tokens),
      });
    }
    const { generation } = this.model.directory;
    return {
      max_tokens: max_tokens ?? Number.MAX_SAFE_INTEGER,
      temperature: options.temperature ?? (generation.do_sample ? (generation.temperature ?? 1) : 0),
      top_k: options.top_k ?? generation.top_k ?? 0,
      top_p: options.top_p ?? generation.top_p ?? 1,
      min_p: options.min_p ?? generation.min_p ?? 0,
      repetition_penalty: options.repetition_penalty ?? generation.repetition_penalty ?? 1,
      seed: options.seed ?? randomInt(DRAWN_SEED_LIMIT),
      stop: options.stop ?? [],
    };
  }

  close(): void {
    this.model.close();
  }
}
