/**
 * Tells the time, milliseconds since 1970. `SessionObject` gives it to all that it builds: nothing below asks the machine,
 * and what waits for something (the building of a server, an answer) asks again afterwards.
 */
export type Clock = () => number;
