/**
 * Sources: local paths, and the hub as a local server plays it: whole and partial repositories, tokens, broken transfers
 * that go on where they stopped, damage, silence, servers that fail for a while or for good, and offline mode.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { SherryError } from "../../../src/errors.ts";
import { packCheckpoint } from "../../../src/packing/packer.ts";
import { parseScaleReach } from "../../../src/packing/scale-option.ts";
import { openSource, type SourceOptions } from "../../../src/packing/sources/source.ts";
import { makeModel } from "../../../src/packing/synthetic/make-model.ts";
import { chooseShape } from "../../../src/packing/synthetic/shapes.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { FakeHub, gitHash } from "./fake-hub.ts";

const pathOf = temporaryFolder();
const isLarge = (path: string) => /\.(?:safetensors|gguf)$/.test(path);
/** 3 MB that no compression and no accident gives back. */
const WEIGHTS = new Uint8Array(3_000_000).map((_, index) => (index * 2_654_435_761) >>> 24);
const SMALL = { "config.json": '{"model_type":"llama"}', "tokenizer.json": "{}", "README.md": "# Hello" };

let hub: FakeHub;
let cache = "";
let test_count = 0;

beforeEach(() => {
  hub = new FakeHub({ isLarge });
  test_count += 1;
  cache = pathOf(`cache-${test_count}`);
});

afterEach(() => hub.stop());

function options(changes: Record<string, string> = {}, more: SourceOptions = {}): SourceOptions {
  return {
    environment: { HF_ENDPOINT: hub.url, HF_HUB_CACHE: cache, ...changes },
    retry_delay_ms: 1,
    silence_ms: 5_000,
    ...more,
  };
}

const failure = (work: Promise<unknown>) =>
  work.then(
    () => "no error",
    (error: unknown) => (error instanceof SherryError ? `${error.code}: ${error.message}` : String(error)),
  );

const blobs = () => readdirSync(`${cache}/models--o--n/blobs`);

describe("local sources", () => {
  test("a folder, a file, nothing", async () => {
    const folder = pathOf("My-Model");
    mkdirSync(folder);
    writeFileSync(`${folder}/m.gguf`, "GGUF");
    expect(await openSource(`${folder}/`)).toEqual({ kind: "folder", path: `${folder}/`, name: "My-Model" });
    expect(await openSource(`${folder}/m.gguf`)).toEqual({
      kind: "file",
      path: `${folder}/m.gguf`,
      name: "m",
    });
    expect(await failure(openSource(`${folder}/x`))).toBe(
      `file_not_found: ${folder}/x: expected a Hugging Face folder, received nothing of that name. Check the path; a model on the hub is hf:owner/name`,
    );
  });
});

describe("the hub", () => {
  test("fetches what packing needs and nothing else, once", async () => {
    const commit = hub.add("o/n", { ...SMALL, "model.safetensors": WEIGHTS, "extra.safetensors": "no" });
    const seen: number[] = [];
    const source = await openSource(
      "hf:o/n",
      options({}, { on_progress: ({ bytes_done, bytes_total }) => seen.push(bytes_done / bytes_total) }),
    );
    const folder = `${cache}/models--o--n/snapshots/${commit}`;
    expect(source).toEqual({ kind: "folder", path: folder, name: "n" });
    expect(readdirSync(folder).sort()).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
    expect(readFileSync(`${folder}/model.safetensors`).equals(WEIGHTS)).toBe(true);
    expect(lstatSync(`${folder}/config.json`).isSymbolicLink()).toBe(true);
    expect(blobs()).toContain(gitHash(new TextEncoder().encode(SMALL["config.json"])));
    expect(blobs().some((name) => name.includes("incomplete"))).toBe(false);
    expect(readFileSync(`${cache}/models--o--n/refs/main`, "utf8")).toBe(commit);
    expect(seen.at(-1)).toBe(1);
    const transfers = hub.transfers("resolve").length;
    expect(await openSource("hf:o/n", options())).toEqual(source);
    expect(hub.transfers("resolve").length).toBe(transfers);
    expect(hub.requests.join()).not.toContain("README");
  });

  test("shards that the index names; a missing one is named", async () => {
    const index = (...shards: string[]) =>
      JSON.stringify({ weight_map: Object.fromEntries(shards.map((shard, at) => [`t${at}`, shard])) });
    const [one, two] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    hub.add("o/n", {
      ...SMALL,
      "model.safetensors.index.json": index(one, two, one),
      [one]: WEIGHTS.subarray(0, 1_000),
      [two]: WEIGHTS.subarray(1_000, 3_000),
      "model-00003-of-00002.safetensors": "stray",
    });
    const { path } = await openSource("hf:o/n", options());
    expect(readdirSync(path).filter((name) => name.endsWith(".safetensors"))).toEqual([one, two]);
    hub.add("o/n", { ...SMALL, "model.safetensors.index.json": index(one, two), [one]: "x" });
    expect(await failure(openSource("hf:o/n", options()))).toBe(
      `file_not_found: hf:o/n: ${two}: expected a file of the repository, received no such file. Check the name on the model's page`,
    );
    hub.add("o/n", { ...SMALL, "model.safetensors.index.json": index("../../evil.safetensors") });
    expect(await failure(openSource("hf:o/n", options()))).toStartWith(
      "checkpoint_invalid: model.safetensors.index.json",
    );
  });

  test("a model of make-model goes through the hub and packs to the same tensors", async () => {
    const shape = chooseShape(
      "llama",
      {
        num_hidden_layers: 1,
        hidden_size: 64,
        intermediate_size: 96,
        num_attention_heads: 4,
        vocab_size: 300,
      },
      true,
    );
    const local = pathOf("made");
    await makeModel({
      ...{ shape, output: local, form: "huggingface", seed: 1, scale: parseScaleReach("channel") },
      ...{ embedding: "bf16", head: null },
    });
    hub.add(
      "o/n",
      Object.fromEntries(readdirSync(local).map((name) => [name, readFileSync(`${local}/${name}`)])),
    );
    const { path } = await openSource("hf:o/n@refs/pr/1", options());
    const pack = (input: string, output: string) =>
      packCheckpoint({
        ...{ input, output, linear: "sherry", embedding: "f16", head: null, scale: "auto", label: null },
      });
    await pack(local, pathOf("local.sherry"));
    const summary = await pack(path, pathOf("hub.sherry"));
    expect(summary.on_grid_tensors).toBe(7);
    expect(readFileSync(pathOf("hub.sherry")).equals(readFileSync(pathOf("local.sherry")))).toBe(true);
  });

  test("a GGUF file with its further parts", async () => {
    const parts = ["q/m-00001-of-00002.gguf", "q/m-00002-of-00002.gguf"] as const;
    hub.add("o/n", { [parts[0]]: "GGUF1", [parts[1]]: "GGUF2", "q/single.gguf": "GGUF" });
    const split = await openSource(`hf:o/n/${parts[0]}`, options());
    expect(split).toMatchObject({ kind: "file", name: "m-00001-of-00002" });
    expect(readFileSync(split.path, "utf8")).toBe("GGUF1");
    expect(readFileSync(split.path.replace("00001-of", "00002-of"), "utf8")).toBe("GGUF2");
    expect(readFileSync((await openSource("hf:o/n/q/single.gguf", options())).path, "utf8")).toBe("GGUF");
    expect(await failure(openSource("hf:o/n/q/none.gguf", options()))).toStartWith(
      "file_not_found: hf:o/n: q/none.gguf: expected a file of the repository",
    );
  });

  test("a repository without safetensors says what it has instead", async () => {
    hub.add("o/n", { "README.md": "x", "m.gguf": "GGUF" });
    expect(await failure(openSource("hf:o/n", options()))).toBe(
      "checkpoint_invalid: hf:o/n: expected a config.json and safetensors, received m.gguf. Name one of its GGUF files: hf:o/n/m.gguf",
    );
    hub.add("o/n", { ...SMALL, "pytorch_model.bin": "PK" });
    expect(await failure(openSource("hf:o/n", options()))).toBe(
      "checkpoint_invalid: hf:o/n: expected model.safetensors or model.safetensors.index.json, received pytorch_model.bin. Look for a repository of the same model in safetensors",
    );
    hub.add("o/n", { "README.md": "x" });
    expect(await failure(openSource("hf:o/n", options()))).toContain("received a repository without");
  });

  test("an empty file needs no transfer", async () => {
    hub.add("o/n", { ...SMALL, "chat_template.jinja": "", "model.safetensors": "w" });
    const { path } = await openSource("hf:o/n", options());
    expect(readFileSync(`${path}/chat_template.jinja`, "utf8")).toBe("");
  });
});

describe("when the hub refuses", () => {
  test("no such repository or revision", async () => {
    hub.add("o/n", { ...SMALL, "model.safetensors": "w" });
    for (const name of ["hf:o/none@main", "hf:o/n@v9"]) {
      expect(await failure(openSource(name, options()))).toBe(
        `file_not_found: ${name}: expected a model, revision and file that the hub has, received status 404 from ${hub.url}. Check owner, name and revision on the model's page`,
      );
    }
    expect(hub.requests.length).toBe(2);
  });

  test("a private model without a token, with a wrong one, with the right one", async () => {
    await hub.stop();
    hub = new FakeHub({ isLarge, token: "hf_right" });
    hub.add("o/n", { ...SMALL, "model.safetensors": WEIGHTS });
    expect(await failure(openSource("hf:o/n", options()))).toBe(
      `source_denied: hf:o/n@main: expected a public model, received status 401 from ${hub.url}. Check the name; for a private or gated model set HF_TOKEN to a token that may read it`,
    );
    expect(await failure(openSource("hf:o/n", options({ HF_TOKEN: "hf_wrong" })))).toBe(
      `source_denied: hf:o/n@main: expected a model that HF_TOKEN may read, received status 401 from ${hub.url}. Check the name, ask for access on the model's page if it is gated, and check what the token may do`,
    );
    expect((await openSource("hf:o/n", options({ HF_TOKEN: "hf_right" }))).kind).toBe("folder");
  });

  test("a gated file: 403 is not tried again", async () => {
    hub.add("o/n", { ...SMALL, "model.safetensors": WEIGHTS });
    hub.fail("GET /o/n/resolve", { kind: "status", status: 403 });
    hub.fail("POST", { kind: "status", status: 403 });
    expect(await failure(openSource("hf:o/n", options()))).toStartWith(
      "source_denied: hf:o/n: the list of files",
    );
    expect(hub.requests.filter((request) => request.startsWith("POST")).length).toBe(1);
  });

  test("a busy server is asked again; one that stays so is an error", async () => {
    hub.add("o/n", { ...SMALL, "model.safetensors": WEIGHTS });
    hub.fail("/revision/", { kind: "status", status: 503 }, { kind: "status", status: 429 });
    hub.fail("POST", { kind: "status", status: 500 });
    expect((await openSource("hf:o/n", options())).kind).toBe("folder");
    hub.fail("/revision/", ...Array.from({ length: 5 }, () => ({ kind: "status", status: 502 }) as const));
    expect(await failure(openSource("hf:o/n", options()))).toBe(
      `source_unavailable: hf:o/n@main: expected an answer of the Hugging Face hub at ${hub.url}, received status 502 from ${hub.url}. Run the command again later: it goes on where it stopped`,
    );
  });

  test("nobody answers", async () => {
    const { url } = hub;
    await hub.stop();
    const message = await failure(openSource("hf:o/n", options({ HF_ENDPOINT: url })));
    expect(message).toStartWith(
      `source_unavailable: hf:o/n@main: expected an answer of the Hugging Face hub at ${url}, received`,
    );
    expect(message).toEndWith(
      "Check the network and HF_ENDPOINT and run the command again: it goes on where it stopped. HF_HUB_OFFLINE=1 uses what is in the cache",
    );
    hub = new FakeHub();
  });

  test("a server that is no hub", async () => {
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => Response.json({ sha: "../../x" }),
    });
    const endpoint = `http://127.0.0.1:${server.port}`;
    expect(await failure(openSource("hf:o/n", options({ HF_ENDPOINT: endpoint })))).toBe(
      `source_unavailable: hf:o/n@main: expected a commit of 40 hexadecimal digits, received "../../x". Check that HF_ENDPOINT (${endpoint}) is a Hugging Face hub`,
    );
  });
});

describe("broken transfers", () => {
  test("go on where they stopped, within a run", async () => {
    hub.add("o/n", { ...SMALL, "model.safetensors": WEIGHTS });
    hub.fail("model.safetensors", { kind: "cut", bytes: 1_000_000 }, { kind: "short", bytes: 500_000 });
    const { path } = await openSource("hf:o/n", options());
    expect(readFileSync(`${path}/model.safetensors`).equals(WEIGHTS)).toBe(true);
    const [first = "", second = "", third = "", ...more] = hub.transfers("model.safetensors");
    expect(more).toEqual([]);
    expect(first).toEndWith("model.safetensors");
    const starts = [second, third].map((request) => Number(/ (\d+)-2999999$/.exec(request)?.[1]));
    expect(starts[0]).toBeWithin(1, 1_000_001);
    expect(starts[1]).toBeWithin((starts[0] ?? 0) + 1, 1_500_001);
  });

  test("go on where they stopped, in the next run", async () => {
    hub.add("o/n", { ...SMALL, "model.safetensors": WEIGHTS });
    const cuts = Array.from({ length: 9 }, () => ({ kind: "cut", bytes: 0 }) as const);
    hub.fail("model.safetensors", { kind: "cut", bytes: 2_000_000 }, ...cuts);
    expect(await failure(openSource("hf:o/n", options()))).toStartWith(
      "source_unavailable: hf:o/n: model.safetensors",
    );
    expect(existsSync(`${cache}/models--o--n/refs/main`)).toBe(false);
    const partial = blobs().find((name) => name.endsWith(".incomplete")) ?? "";
    const kept = readFileSync(`${cache}/models--o--n/blobs/${partial}`);
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.equals(WEIGHTS.subarray(0, kept.length))).toBe(true);
    hub.faults.clear();
    hub.requests.length = 0;
    const { path } = await openSource("hf:o/n", options());
    expect(readFileSync(`${path}/model.safetensors`).equals(WEIGHTS)).toBe(true);
    expect(hub.transfers("resolve")).toEqual([
      expect.stringMatching(new RegExp(`model\\.safetensors ${kept.length}-2999999$`)),
    ]);
  });

  test("damage is found by the checksum, removed and said; git's checksum as well as SHA-256", async () => {
    for (const file of ["model.safetensors", "config.json"]) {
      const commit = hub.add("o/n", { ...SMALL, "model.safetensors": WEIGHTS });
      hub.fail(file, { kind: "damage" });
      const message = await failure(openSource("hf:o/n", options()));
      expect(message).toStartWith(`checkpoint_invalid: hf:o/n: ${file}: expected the checksum `);
      expect(message).toEndWith("What came was damaged and was removed; run the command again");
      expect(existsSync(`${cache}/models--o--n/snapshots/${commit}/${file}`)).toBe(false);
      expect(blobs().some((name) => name.endsWith(".incomplete"))).toBe(false);
      const { path } = await openSource("hf:o/n", options());
      expect(readFileSync(`${path}/model.safetensors`).equals(WEIGHTS)).toBe(true);
      cache = `${cache}-again`;
    }
  });

  test("silence counts as a break", async () => {
    hub.add("o/n", { ...SMALL, "model.safetensors": WEIGHTS });
    hub.fail("model.safetensors", { kind: "silence", bytes: 100_000 });
    const { path } = await openSource("hf:o/n", options({}, { silence_ms: 200 }));
    expect(readFileSync(`${path}/model.safetensors`).equals(WEIGHTS)).toBe(true);
    expect(hub.transfers("model.safetensors").length).toBe(2);
  });

  test("an interrupt keeps what came and throws its reason", async () => {
    hub.add("o/n", { ...SMALL, "model.safetensors": WEIGHTS });
    hub.fail("model.safetensors", { kind: "silence", bytes: 100_000 });
    const controller = new AbortController();
    const on_progress = ({ file }: { file: string }) => {
      if (file === "model.safetensors") setTimeout(() => controller.abort(new Error("enough")), 50);
    };
    const started = performance.now();
    const work = openSource("hf:o/n", options({}, { signal: controller.signal, on_progress }));
    expect(await failure(work)).toBe("Error: enough");
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(blobs().some((name) => name.endsWith(".incomplete"))).toBe(true);
    expect(await failure(openSource("hf:o/n", options({}, { signal: controller.signal })))).toBe(
      "Error: enough",
    );
  });

  test("a partial file that is too long, or of other bytes, does no harm", async () => {
    hub.add("o/n", { ...SMALL, "model.safetensors": WEIGHTS });
    await openSource("hf:o/n", options());
    const etag = blobs().find((name) => name.length === 64) ?? "";
    cache = `${cache}-again`;
    mkdirSync(`${cache}/models--o--n/blobs`, { recursive: true });
    const partial = `${cache}/models--o--n/blobs/${etag}.incomplete`;
    writeFileSync(partial, new Uint8Array(4_000_000));
    const { path } = await openSource("hf:o/n", options());
    expect(readFileSync(`${path}/model.safetensors`).equals(WEIGHTS)).toBe(true);
    cache = `${cache}-again`;
    mkdirSync(`${cache}/models--o--n/blobs`, { recursive: true });
    writeFileSync(`${cache}/models--o--n/blobs/${etag}.incomplete`, new Uint8Array(1_000_000));
    expect(await failure(openSource("hf:o/n", options()))).toStartWith(
      "checkpoint_invalid: hf:o/n: model.safe",
    );
    const again = await openSource("hf:o/n", options());
    expect(readFileSync(`${again.path}/model.safetensors`).equals(WEIGHTS)).toBe(true);
  });
});

describe("offline", () => {
  const offline = { HF_HUB_OFFLINE: "1" };
  const hint = "Unset HF_HUB_OFFLINE to fetch it, or check HF_HUB_CACHE";

  test("uses what is in the cache, by revision and by commit, without a request", async () => {
    const commit = hub.add("o/n", { ...SMALL, "model.safetensors": WEIGHTS });
    const source = await openSource("hf:o/n", options());
    hub.requests.length = 0;
    expect(await openSource("hf:o/n", options(offline))).toEqual(source);
    expect(await openSource(`hf:o/n@${commit}`, options(offline))).toEqual(source);
    expect(hub.requests).toEqual([]);
  });

  test("refuses what is not there, and says which file", async () => {
    const refused = (text: string) => failure(openSource(text, options(offline)));
    const expected = "expected a model in the cache, as HF_HUB_OFFLINE is set, received";
    expect(await refused("hf:o/n")).toBe(
      `file_not_found: hf:o/n@main: ${expected} none of that name and revision. ${hint}`,
    );
    expect(await refused(`hf:o/n@${"0".repeat(40)}`)).toContain("none of that name and revision");
    const commit = "1".repeat(40);
    const folder = `${cache}/models--o--n/snapshots/${commit}`;
    mkdirSync(folder, { recursive: true });
    expect(await refused(`hf:o/n@${commit}`)).toContain(`${expected} one without model.safetensors`);
    writeFileSync(`${folder}/model.safetensors.index.json`, '{"weight_map":{"a":"m-1.safetensors"}}');
    expect(await refused(`hf:o/n@${commit}`)).toContain(`${expected} one without config.json`);
    writeFileSync(`${folder}/config.json`, "{}");
    expect(await refused(`hf:o/n@${commit}`)).toContain(`${expected} one without m-1.safetensors`);
    expect(await refused(`hf:o/n/m.gguf@${commit}`)).toContain(`${expected} one without m.gguf`);
  });
});

test("a cache that cannot be written", async () => {
  hub.add("o/n", { ...SMALL, "model.safetensors": WEIGHTS });
  writeFileSync(cache, "a file where the folder belongs");
  expect(await failure(openSource("hf:o/n", options()))).toStartWith(
    "file_unwritable: the cache of downloaded models: expected a folder that can be written, received E",
  );
});
