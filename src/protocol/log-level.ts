/** Levels of log messages, the least severe first (RFC 5424; revision 2025-11-25, Logging). */
const logLevels: unknown[] = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/** Whether a message of `level` is for who wants to hear those of `least` and above. */
export function isAtLeast(level: unknown, least: unknown): boolean {
  return logLevels.indexOf(level) >= logLevels.indexOf(least);
}
