/**
 * Writes what the charm hands to COS from its sources: the dashboard as JSON, and the rules and the packed dashboards as one
 * file that a hook reads without a YAML parser and without a compressor. Needs xz(1). usage: cos.ts
 */
import { writePacked } from "./cos/pack.ts";

for (const file of await writePacked()) console.log(`wrote ${file}`);
