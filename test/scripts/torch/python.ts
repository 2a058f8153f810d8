/**
 * The Python that the PyTorch module's tests run on: SHERRY_PYTHON, else python3. Where it has no PyTorch and
 * transformers (scripts/torch/requirements.txt), those tests are skipped, visibly; they are too large to install for a
 * test run, under CI too.
 */
const PYTHON = process.env["SHERRY_PYTHON"] ?? "python3";
const MODULES = ["torch", "transformers", "accelerate", "safetensors"];

/** Whether the modules are there, without the seconds that importing them takes. */
export function hasTorch(): boolean {
  if (Bun.which(PYTHON) === null) return false;
  const found = MODULES.map((name) => `importlib.util.find_spec("${name}") is not None`).join(" and ");
  const program = `import importlib.util, sys; sys.exit(0 if ${found} else 1)`;
  return Bun.spawnSync([PYTHON, "-c", program], { stdout: "ignore", stderr: "ignore" }).success;
}

export interface PythonResult {
  readonly exit_code: number;
  readonly output: string;
}

/** Runs Python in the repository's root. Nothing it does may reach the network. */
export async function runPython(root: string, commands: readonly string[]): Promise<PythonResult> {
  const child = Bun.spawn([PYTHON, ...commands], {
    cwd: root,
    stdout: "pipe",
    stderr: "pipe",
    env: {
      ...process.env,
      HF_HUB_OFFLINE: "1",
      OMP_NUM_THREADS: "1",
      PYTHONDONTWRITEBYTECODE: "1",
      PYTHONPATH: "scripts/torch",
    },
  });
  const [output, errors, exit_code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exit_code, output: `${output}\n${errors}` };
}
