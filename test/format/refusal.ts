/** What a test compares when something must be refused: the code and the whole message of the SherryError. */
import { SherryError } from "../../src/errors.ts";

export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** Any other exception passes through and fails the test, as does no exception at all. */
export function refusal(work: () => unknown): Refusal {
  let result: unknown;
  try {
    result = work();
  } catch (error) {
    return asRefusal(error);
  }
  throw new Error(`nothing was refused; the result is ${String(result)}`);
}

export async function asyncRefusal(work: () => Promise<unknown>): Promise<Refusal> {
  let result: unknown;
  try {
    result = await work();
  } catch (error) {
    return asRefusal(error);
  }
  throw new Error(`nothing was refused; the result is ${String(result)}`);
}

function asRefusal(error: unknown): Refusal {
  if (error instanceof SherryError) return { code: error.code, message: error.message };
  throw error;
}
