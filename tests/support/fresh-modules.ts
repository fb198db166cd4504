/**
 * Set up before each file of unit tests, which share their processes: a file begins with modules of its own, so that no
 * secret that another one registered is redacted in it.
 */
import { vi } from "vitest";

vi.resetModules();
