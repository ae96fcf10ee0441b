/**
 * The moment after what was just sent has left this process: a timer comes after all that is on its way through it. One
 * timer for all who wait.
 */
export class Afterwards {
  #moment: Promise<void> | undefined;

  moment(): Promise<void> {
    this.#moment ??= new Promise((resolve) => {
      setTimeout(() => {
        this.#moment = undefined;
        resolve();
      }, 0);
    });
    return this.#moment;
  }
}
