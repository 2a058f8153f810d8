/** Named maxima of GGUF headers. Whatever a file claims is held against one of these, and against the bytes that remain. */

/** Header, metadata and tensor list together; the largest vocabularies in use take about 10 MB. */
export const GGUF_HEADER_BYTES_MAX = 512 * 1024 * 1024;
export const GGUF_METADATA_COUNT_MAX = 65_536;
/** As the format's description limits keys. */
export const GGUF_KEY_BYTES_MAX = 65_535;
/** One text of the metadata; chat templates and licences are the longest. */
export const GGUF_STRING_BYTES_MAX = 16 * 1024 * 1024;
/** Elements of one array of the metadata: vocabularies and their merges. */
export const GGUF_ARRAY_COUNT_MAX = 16_777_216;
export const GGUF_DIMENSION_COUNT_MAX = 4;
export const GGUF_ALIGNMENT_MIN = 8;
export const GGUF_ALIGNMENT_MAX = 65_536;
/** Files that one model is split into. */
export const GGUF_SPLIT_COUNT_MAX = 1_000;
