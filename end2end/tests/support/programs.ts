// Starts and stops what is tested: instances of the server, Redis, and a proxy that stands before several instances.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../../..');
const binary = path.resolve(root, process.env.E2E_SERVER ?? 'target/release/tertulia');

/** A cold start migrates a database; anything slower is a fault. */
const startTimeoutMs = 30_000;
/** An instance takes 18 s at most. */
const stopTimeoutMs = 20_000;
/** Between two looks at whether a port answers. */
const lookEveryMs = 25;
/** Kept of what a program says: enough for the start and the end of a test. */
const keptLines = 2_000;

/** The kernel ends a child whose parent was killed outright, so no run leaves a server behind (Linux). */
const leash = existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL', '--'] : [];

/** The environment without the server's settings: tests decide about them, not whoever calls them. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('TERTULIA_') && name !== 'PORT');
  return Object.fromEntries(kept);
}

/** Whether somebody listens on a port of this machine. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => resolve((socket.destroy(), true)));
    socket.once('error', () => resolve((socket.destroy(), false)));
  });
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until a condition holds, as long as the program lives. */
async function until(what: string, program: Program, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  while (!(await holds())) {
    if (!program.isRunning()) throw new Error(`${what} ended before it was ready:\n${program.said()}`);
    if (Date.now() > deadline) throw new Error(`${what} was not ready in time:\n${program.said()}`);
    await pause(lookEveryMs);
  }
}

/** A child process and what it said. */
class Program {
  private readonly lines: string[] = [];
  private readonly child: ChildProcess;
  private readonly ended: Promise<unknown>;

  constructor(command: string[]) {
    const [program, ...args] = [...leash, ...command];
    if (!program) throw new Error('there is nothing to start');
    this.child = spawn(program, args, { cwd: root, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = once(this.child, 'exit');
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.lines.push(...text.split('\n').filter((line) => line !== ''));
        this.lines.splice(0, Math.max(0, this.lines.length - keptLines));
      });
    }
  }

  isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  said(): string {
    return this.lines.join('\n');
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Its exit code, once it ends by itself. */
  async exit(): Promise<number | null> {
    await this.ended;
    return this.child.exitCode;
  }

  /** Ends it and answers its exit code; `null` when a signal ended it. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.isRunning()) {
      this.signal(signal);
      const patience = setTimeout(() => this.signal('SIGKILL'), stopTimeoutMs);
      await this.ended;
      clearTimeout(patience);
    }
    return this.child.exitCode;
  }
}

/** An instance of the server, which keeps its port and its database over restarts. */
export class Instance {
  private program: Program | undefined;

  constructor(
    readonly port: number,
    private readonly args: string[],
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<this> {
    const program = new Program([binary, 'serve', '--port', String(this.port), ...this.args]);
    this.program = program;
    await until(`the instance on port ${this.port}`, program, () => answers(this.port));
    return this;
  }

  /** What a host says of a database that was brought back from a backup, while nobody has it open. */
  async restored(): Promise<void> {
    const program = new Program([binary, 'restored', ...this.args]);
    const code = await program.exit();
    if (code !== 0) throw new Error(`the database was not given another epoch:\n${program.said()}`);
  }

  /** Stops it as a host would, or as a crash would (`SIGKILL`). The answer is the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const program = this.program;
    if (!program) return null;
    const code = await program.end(signal);
    if (program.said().includes('panicked at')) throw new Error(`the server panicked:\n${program.said()}`);
    return code;
  }
}

/** A Redis that keeps nothing. */
export class Redis {
  private program: Program | undefined;

  constructor(readonly port: number) {}

  get url(): string {
    return `redis://127.0.0.1:${this.port}/0`;
  }

  async start(): Promise<this> {
    const quiet = ['--save', '', '--appendonly', 'no', '--dir', tmpdir(), '--loglevel', 'warning'];
    const program = new Program(['redis-server', '--bind', '127.0.0.1', '--port', String(this.port), ...quiet]);
    this.program = program;
    await until('Redis', program, () => answers(this.port));
    return this;
  }

  async stop(): Promise<void> {
    await this.program?.end('SIGKILL');
  }
}

/** One address before several instances. */
class Front {
  private readonly server: net.Server;

  constructor(
    readonly port: number,
    receive: (client: net.Socket) => void,
  ) {
    this.server = net.createServer((client) => {
      client.on('error', () => client.destroy());
      receive(client);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<this> {
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  async stop(): Promise<void> {
    this.server.close();
  }
}

/** Each connection goes to the first instance that answers. No sticky sessions. */
export class Balancer extends Front {
  constructor(port: number, instances: Instance[]) {
    super(port, (client) => connectToFirst(client, instances));
  }
}

/** A proxy of the kind that knows no WebSockets: it refuses them, and gives each connection to the next instance. */
export class OldProxy extends Front {
  /** WebSockets refused so far. */
  refused = 0;
  private next = 0;

  constructor(port: number, instances: Instance[]) {
    // The head of a request comes in one piece, and a WebSocket on a connection of its own.
    super(port, (client) => client.once('data', (head) => this.pass(client, head, instances)));
  }

  private pass(client: net.Socket, head: Buffer, instances: Instance[]): void {
    if (/^upgrade: websocket/im.test(head.toString('latin1'))) {
      this.refused += 1;
      client.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    client.pause();
    client.unshift(head);
    const turn = this.next++ % instances.length;
    connectToFirst(client, [...instances.slice(turn), ...instances.slice(0, turn)]);
  }
}

function connectToFirst(client: net.Socket, instances: Instance[]): void {
  const [first, ...others] = instances;
  if (!first) {
    client.destroy();
    return;
  }
  const upstream = net.connect(first.port, '127.0.0.1');
  const next = (): void => connectToFirst(client, others);
  upstream.once('error', next);
  upstream.once('connect', () => {
    upstream.off('error', next);
    upstream.on('error', () => client.destroy());
    upstream.on('close', () => client.destroy());
    client.on('close', () => upstream.destroy());
    client.pipe(upstream);
    upstream.pipe(client);
  });
}

/** Everything that belongs to one test or to the whole run; it goes as a whole. */
export class Stage {
  private readonly parts: { stop(): Promise<unknown> }[] = [];
  private folder: string | undefined;

  /** Takes ports from `firstPort` on that nobody listens on. */
  constructor(private nextPort: number) {}

  private async port(): Promise<number> {
    while (await answers(this.nextPort)) this.nextPort += 1;
    return this.nextPort++;
  }

  private async data(): Promise<string> {
    this.folder ??= await mkdtemp(path.join(tmpdir(), 'e2e-'));
    return this.folder;
  }

  private async keep<T extends { start(): Promise<T>; stop(): Promise<unknown> }>(part: T): Promise<T> {
    // Before the start, so that a part which fails to start is stopped as well.
    this.parts.unshift(part);
    return part.start();
  }

  /** One process with nothing else, over a database of its own. */
  async alone(...args: string[]): Promise<Instance> {
    return this.on(await this.port(), args);
  }

  /** The same with a public URL, its own: whoever has not entered sees nothing. */
  async gated(): Promise<Instance> {
    const port = await this.port();
    return this.on(port, ['--public-url', `http://127.0.0.1:${port}`]);
  }

  private async on(port: number, args: string[]): Promise<Instance> {
    return this.keep(new Instance(port, ['--data', path.join(await this.data(), `alone-${port}`), ...args]));
  }

  /** Several instances over one database file and one Redis. */
  async cluster(count: number, ...args: string[]): Promise<{ redis: Redis; instances: Instance[] }> {
    const data = await this.data();
    const shared = ['--data', data, '--database', `sqlite://${path.join(data, 'cluster.db')}`];
    // The instances first: their ports are neighbours.
    const ports: number[] = [];
    for (let index = 0; index < count; index += 1) ports.push(await this.port());
    const redis = await this.keep(new Redis(await this.port()));
    const instances: Instance[] = [];
    for (const port of ports) {
      instances.push(await this.keep(new Instance(port, [...shared, '--redis', redis.url, ...args])));
    }
    return { redis, instances };
  }

  /** One address before these instances. */
  async balancer(instances: Instance[]): Promise<Balancer> {
    return this.keep(new Balancer(await this.port(), instances));
  }

  /** One address before these instances that lets no WebSocket through. */
  async oldProxy(instances: Instance[]): Promise<OldProxy> {
    return this.keep(new OldProxy(await this.port(), instances));
  }

  /** Stops everything, the last started first. */
  async end(): Promise<void> {
    const faults: unknown[] = [];
    for (const part of this.parts) await part.stop().catch((fault: unknown) => faults.push(fault));
    if (this.folder) await rm(this.folder, { recursive: true, force: true });
    if (faults.length > 0) throw faults[0];
  }
}
