/** Builds the kernels before any test starts, so that no test's own time limit has to hold a build. */
import { builtLibrary } from "../src/native/build.ts";

if (process.env["SHERRY_LIBRARY"] === undefined) builtLibrary();
