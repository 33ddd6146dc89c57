/** A graph file with a mistake: it forgets to export a program. */
export const model = "gpt2";
