/** What goes wrong on the way to the hub, as typed errors that say what to do, and whether it may pass by itself. */
import { SherryError } from "../../errors.ts";
import { excerpt } from "../excerpt.ts";
import type { HubSettings } from "./hub-settings.ts";

/** The HTTP status of @huggingface/hub's HubApiError, known by its field so that the library need not be loaded. */
export function statusOf(error: unknown): number | null {
  const status = error instanceof Error && "statusCode" in error ? error.statusCode : null;
  return typeof status === "number" ? status : null;
}

/** Whether trying again can help: the network, a busy server, an answer cut short. */
export function isPassing(error: unknown): boolean {
  if (error instanceof SherryError) return false;
  const status = statusOf(error);
  return status === null || status === 408 || status === 429 || status >= 500;
}

/** @param what was asked for, as a message begins: "hf:owner/name", "hf:owner/name: config.json" */
export function hubError(error: unknown, what: string, settings: HubSettings): SherryError {
  if (error instanceof SherryError) return error;
  const status = statusOf(error);
  const has_token = settings.token !== null;
  const received = status === null ? messageOf(error) : `status ${status} from ${settings.endpoint}`;
  if (status === 401 || status === 403) {
    // The hub answers 401 for a repository that does not exist, too, so that nobody learns which private ones do.
    return new SherryError("source_denied", what, {
      expected: has_token ? "a model that HF_TOKEN may read" : "a public model",
      received,
      next_step: has_token
        ? "Check the name, ask for access on the model's page if it is gated, and check what the token may do"
        : "Check the name; for a private or gated model set HF_TOKEN to a token that may read it",
      cause: error,
    });
  }
  if (status === 404) {
    return new SherryError("file_not_found", what, {
      expected: "a model, revision and file that the hub has",
      received,
      next_step: "Check owner, name and revision on the model's page",
      cause: error,
    });
  }
  return new SherryError("source_unavailable", what, {
    expected: `an answer of the Hugging Face hub at ${settings.endpoint}`,
    received,
    next_step:
      status === null
        ? "Check the network and HF_ENDPOINT and run the command again: it goes on where it stopped. HF_HUB_OFFLINE=1 uses what is in the cache"
        : "Run the command again later: it goes on where it stopped",
    cause: error,
  });
}

function messageOf(error: unknown): string {
  return excerpt(error instanceof Error ? error.message : String(error));
}
