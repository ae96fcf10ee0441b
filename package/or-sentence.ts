import { Fault, sentenceOf } from "../src/fault.ts";

/** The exit code of `run`; 1, after a sentence, if the system or a program that it runs does not let it. */
export async function orSentence(run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    // Of a program's it is what that says.
    const sentence = sentenceOf(error instanceof Error && "cmd" in error ? new Fault(error.message) : error);
    if (sentence === undefined) throw error;
    console.error(sentence);
    return 1;
  }
}
