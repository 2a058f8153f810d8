/**
 * The template language's interpreter with one difference: a call of what is no function names what was called, since a
 * template that needs more than it is given must say what it needs. The library's own message has only its type.
 */
import { Interpreter } from "@huggingface/jinja";

type Statement = Parameters<Interpreter["evaluate"]>[0];

/** The text of the library's error for a call of anything else (@huggingface/jinja, runtime, CallExpression). */
const NO_FUNCTION = "Cannot call something that is not a function";

export class NamingInterpreter extends Interpreter {
  override evaluate(...[statement, environment]: Parameters<Interpreter["evaluate"]>) {
    try {
      return super.evaluate(statement, environment);
    } catch (cause) {
      const name = calledName(statement);
      // Only the innermost call is the one that failed: what it throws has another text, and passes through the outer ones.
      if (name === null || !(cause instanceof Error) || !cause.message.startsWith(NO_FUNCTION)) throw cause;
      throw new Error(`it calls ${name}, and no such function is given to chat templates`, { cause });
    }
  }
}

/** "name" of name(...), ".name" of value.name(...); null for every other statement. */
function calledName(statement: Statement): string | null {
  const callee = statement?.type === "CallExpression" ? Reflect.get(statement, "callee") : null;
  const name = field(callee, "value");
  if (typeof name === "string" && field(callee, "type") === "Identifier") return name;
  const property = field(field(callee, "property"), "value");
  return typeof property === "string" ? `.${property}` : null;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
