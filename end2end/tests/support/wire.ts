// Stands in the middle of a page's socket: holds frames of the server back, or answers in its place.
import type { Page, WebSocketRoute } from '@playwright/test';

/** A frame, as far as tests look at it. */
export interface Frame {
  t: string;
  key?: string;
  [field: string]: unknown;
}

const read = (text: string | Buffer): Frame => JSON.parse(text.toString()) as Frame;

/** The socket of a page, from before it is opened. */
export class Wire {
  /** Sockets opened so far. */
  opened = 0;
  /** What the page said so far: the kinds of its frames. */
  readonly said: string[] = [];
  private socket: WebSocketRoute | undefined;
  private readonly held: (() => void)[] = [];
  private holds: (frame: Frame) => boolean = () => false;
  private answers: (frame: Frame) => Frame | 'nothing' | undefined = () => undefined;
  private turns: (frame: Frame) => Frame = (frame) => frame;

  static async of(page: Page): Promise<Wire> {
    const wire = new Wire();
    await page.routeWebSocket(/\/live$/, (socket) => wire.connect(socket));
    return wire;
  }

  /** Keeps frames of the server from the page until they are released. */
  hold(which: (frame: Frame) => boolean): void {
    this.holds = which;
  }

  /** Lets everything through, what was held first. */
  release(): void {
    this.holds = () => false;
    for (const go of this.held.splice(0)) go();
  }

  /** Answers frames of the page in the server's place; `nothing` swallows one. */
  answer(how: (frame: Frame) => Frame | 'nothing' | undefined): void {
    this.answers = how;
  }

  /** Changes what the page says before the server hears it. */
  turn(how: (frame: Frame) => Frame): void {
    this.turns = how;
  }

  /** Ends the socket as a server that wants its client back. */
  async cut(): Promise<void> {
    await this.socket?.close({ code: 4000 });
  }

  /** How many frames are held back. */
  get waiting(): number {
    return this.held.length;
  }

  private connect(page: WebSocketRoute): void {
    this.opened += 1;
    this.socket = page;
    // What was held for a socket goes with it.
    if (this.opened > 1) {
      this.held.length = 0;
      this.holds = () => false;
    }
    const server = page.connectToServer();
    page.onMessage((text) => {
      const frame = read(text);
      this.said.push(frame.t);
      const answer = this.answers(frame);
      if (answer === undefined) server.send(JSON.stringify(this.turns(frame)));
      else if (answer !== 'nothing') page.send(JSON.stringify(answer));
    });
    server.onMessage((text) => {
      const go = (): void => page.send(text);
      // Order is kept: behind a held frame everything waits.
      if (this.held.length > 0 || this.holds(read(text))) this.held.push(go);
      else go();
    });
  }
}
