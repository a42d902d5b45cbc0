import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { freePort } from '../../tools/node-red.js';
import { paletteModules } from '../../tools/palettes.js';
import { type Plc, plcMovesAStep } from '../support/plc.js';
import { until } from '../support/until.js';

/** The used part of modbus-serial. */
interface ModbusSerial {
  ServerTCP: new (
    registers: {
      getMultipleHoldingRegisters(address: number, length: number): number[];
    },
    options: { host: string; port: number },
  ) => NodeJS.EventEmitter & { close(done: () => void): void };
}

/** A PLC that serves two holding registers by Modbus TCP. */
class ModbusPlc implements Plc {
  readonly env: Record<string, string>;
  readonly #port: number;
  #registers: number[] | undefined;
  #reads = 0;
  #server: InstanceType<ModbusSerial['ServerTCP']> | undefined;

  static async start(): Promise<ModbusPlc> {
    const plc = new ModbusPlc(await freePort());
    await plc.start();
    return plc;
  }

  private constructor(port: number) {
    this.#port = port;
    this.env = { PLC_HOST: '127.0.0.1', PLC_PORT: String(port) };
  }

  set(state: number, run: number): void {
    this.#registers = [state, run];
  }

  setUnknown(): void {
    this.#registers = undefined;
  }

  async wasRead(): Promise<void> {
    // It sends the next request only after the response.
    const reads = this.#reads;
    await until(() => this.#reads > reads + 1);
  }

  async start(): Promise<void> {
    const palette = createRequire(join(paletteModules, 'node-red-contrib-modbus', 'package.json'));
    const { ServerTCP } = palette('@openp4nr/modbus-serial') as ModbusSerial;
    const getMultipleHoldingRegisters = (address: number, length: number) => {
      this.#reads++;
      if (!this.#registers) throw new Error('The PLC answers with a Modbus exception.');
      return this.#registers.slice(address, address + length);
    };
    const options = { host: '127.0.0.1', port: this.#port };
    this.#server = new ServerTCP({ getMultipleHoldingRegisters }, options);
    await once(this.#server, 'initialized');
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.#server?.close(resolve) ?? resolve());
  }
}

describe('example 04, a PLC moves a step by Modbus TCP', () => {
  plcMovesAStep({
    file: 'modbus/04-plc-moves-a-step.json',
    palette: 'node-red-contrib-modbus',
    plc: ModbusPlc.start,
    changes: { machine: { rate: '50', rateUnit: 'ms' }, plc: { reconnectTimeout: 200 } },
  });
});
