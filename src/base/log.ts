/** Logging; the only importer of pino. Library code gets a {@link Logger} handed in, never a global. */
import { pino, type DestinationStream, type Logger as PinoLogger } from "pino";
import { redact } from "./redact.ts";

/** Constant message plus fields; an error goes into the field `err`. */
export type Logger = Pick<PinoLogger, "debug" | "info" | "warn" | "error" | "child">;

/** Lowest level that is written. */
export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** Fields that never reach a log, at the top of a record or one level down. */
const SECRET_FIELDS = ["password", "token", "userData", "privateKey", "secrets"];

/**
 * A logger that writes JSON lines to `destination`. Every line passes {@link redact} last, so a secret that
 * somebody registered cannot appear even inside an error's message.
 */
export function createLogger(destination: DestinationStream, level: LogLevel): Logger {
  const redacting: DestinationStream = { write: (line) => destination.write(redact(line)) };
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: "[redacted]" },
    },
    redacting,
  );
}

/** A logger that writes nothing. */
export const silentLogger: Logger = pino({ level: "silent" });
