/** Opens the data that a configuration names: the corpus generator or text files. */
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import type { TrainingConfig } from "./config-schema.ts";
import { CorpusData } from "./corpus-data.ts";
import { TextData } from "./text-data.ts";
import type { TokenData } from "./token-data.ts";

/** @throws SherryError argument_invalid for texts that are too short; from reading files */
export function openTokenData(config: TrainingConfig, tokenizer: Tokenizer): TokenData {
  const { data, seed, batch, evaluation } = config;
  const { sequence_tokens } = batch;
  return "corpus" in data
    ? new CorpusData(tokenizer, data.corpus, { sequence_tokens, held_out_tokens: evaluation.tokens })
    : new TextData(tokenizer, data.texts, { sequence_tokens, seed });
}
