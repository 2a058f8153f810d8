/**
 * Run by tests as a process of its own: a real command with real signals and streams, over a fake model.
 * Arguments: the command's name, the fake model's options as JSON, then the command's own arguments.
 */
import * as generate from "../../src/cli/generate.ts";
import * as serve from "../../src/cli/serve.ts";
import { PROCESS_TERMINAL } from "../../src/cli/terminal.ts";
import { FakeModel } from "../server/fake-model.ts";

const [name, model_options = "{}", ...argv] = process.argv.slice(2);
const command = name === "serve" ? serve : generate;
process.exitCode = await command.run(argv, {
  terminal: PROCESS_TERMINAL,
  loadModel: async () => new FakeModel(JSON.parse(model_options)),
  environment: process.env,
});
