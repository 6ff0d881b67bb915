// Compiles the published JSON Schemas with `ajv`, and holds instances against them: as `validate_schemas.py` does, with
// the same arguments.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

// The second argument is the folder with the packages.
const [folder, packages] = process.argv.slice(2);
const { default: Ajv } = await import(createRequire(resolve(packages, "package.json")).resolve("ajv/dist/2020.js"));
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
let wrong = 0;
for (const [name, probes] of Object.entries(JSON.parse(Buffer.concat(chunks)))) {
  try {
    // Formats are not asserted by default in this version of JSON Schema; what ajv calls strict is its own.
    const ajv = new Ajv({ strict: false, validateFormats: false });
    const validate = ajv.compile(JSON.parse(readFileSync(join(folder, name), "utf8")));
    for (const [instance, isValid] of probes) {
      if (validate(instance) !== isValid) {
        wrong += 1;
        console.log(`${name}: valid should be ${isValid}: ${JSON.stringify(instance).slice(0, 300)}`);
      }
    }
  } catch (error) {
    wrong += 1;
    console.log(`${name}: ${String(error.message).slice(0, 300)}`);
  }
}
process.exit(wrong ? 1 : 0);
