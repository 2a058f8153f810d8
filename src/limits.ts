/** Named maxima. Whatever a file or a client can ask for is checked against one of these before memory is taken. */

/** The directory of a packed file, as bytes of JSON. */
export const DIRECTORY_BYTES_MAX = 64 * 1024 * 1024;
/** tokenizer.json, as bytes; the largest in use (120 k to 256 k tokens) are 10 to 35 MB. */
export const TOKENIZER_BYTES_MAX = 256 * 1024 * 1024;
export const TENSOR_COUNT_MAX = 65_536;
export const TENSOR_NAME_LENGTH_MAX = 256;
/** Rows or columns of one tensor. */
export const TENSOR_DIMENSION_MAX = 16_777_216;
export const LAYER_COUNT_MAX = 1_024;
/** A chat template, in UTF-16 units. */
export const CHAT_TEMPLATE_LENGTH_MAX = 1_048_576;
/** Tokens of prompt and answer together. */
export const CONTEXT_TOKENS_MAX = 1_048_576;
/** Tokens that one forward pass takes at once during prefill. */
export const BATCH_TOKENS_MAX = 256;
/** Sequences that one forward pass computes together (zig/c_abi/attention.zig, sequences_max). */
export const SEQUENCES_TOGETHER_MAX = 64;
/** Threads that compute. */
export const THREAD_COUNT_MAX = 256;
/** Stop strings a request may name, and the length of each in UTF-16 units. */
export const STOP_STRING_COUNT_MAX = 16;
export const STOP_STRING_LENGTH_MAX = 1_024;
/** The header of a safetensors file, as its specification limits it. */
export const SAFETENSORS_HEADER_BYTES_MAX = 100_000_000;
