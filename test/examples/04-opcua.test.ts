import { createRequire } from 'node:module';
import { join } from 'node:path';
import { freePort } from '../../tools/node-red.js';
import { homeIn, paletteModules } from '../../tools/palettes.js';
import { type Plc, plcMovesAStep } from '../support/plc.js';
import { until } from '../support/until.js';

/** The used part of node-opcua. */
interface NodeOpcua {
  OPCUACertificateManager: new (options: { name: string; rootFolder: string }) => object;
  OPCUAServer: new (options: object) => OpcuaServer;
  Variant: new (value: object) => object;
  DataType: { UInt16: number };
  VariantArrayType: { Array: number };
  MessageSecurityMode: { None: number };
  RegisterServerMethod: { HIDDEN: number };
  SecurityPolicy: { None: string };
  StatusCodes: { BadNoCommunication: object };
  setWarningLogger(log: () => void): void;
}

interface OpcuaServer {
  initialize(): Promise<void>;
  start(): Promise<void>;
  shutdown(timeout: number): Promise<void>;
  engine: {
    addressSpace: {
      rootFolder: { objects: object };
      getOwnNamespace(): { addVariable(options: object): void };
    };
  };
}

/** A PLC that serves an array of two numbers by OPC UA. */
class OpcuaPlc implements Plc {
  readonly env: Record<string, string>;
  readonly #folder: string;
  readonly #port: number;
  #value: Uint16Array | undefined;
  #reads = 0;
  #server: OpcuaServer | undefined;

  static async start(folder: string): Promise<OpcuaPlc> {
    const plc = new OpcuaPlc(folder, await freePort());
    await plc.start();
    return plc;
  }

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
    this.env = { OPCUA_ENDPOINT: `opc.tcp://127.0.0.1:${port}`, ...homeIn(folder) };
  }

  set(state: number, run: number): void {
    this.#value = Uint16Array.of(state, run);
  }

  setUnknown(): void {
    this.#value = undefined;
  }

  /** Values that the server has read are sent in this order. */
  async wasRead(): Promise<void> {
    const reads = this.#reads;
    await until(() => this.#reads > reads + 1);
  }

  async start(): Promise<void> {
    const palette = createRequire(join(paletteModules, 'node-red-contrib-opcua', 'package.json'));
    const opcua = palette('node-opcua') as NodeOpcua;
    // It warns of algorithms that are not used here.
    opcua.setWarningLogger(() => {});
    const certificates = (name: string) =>
      new opcua.OPCUACertificateManager({ name, rootFolder: join(this.#folder, name) });
    this.#server = new opcua.OPCUAServer({
      port: this.#port,
      host: '127.0.0.1',
      hostname: '127.0.0.1',
      securityModes: [opcua.MessageSecurityMode.None],
      securityPolicies: [opcua.SecurityPolicy.None],
      allowAnonymous: true,
      registerServerMethod: opcua.RegisterServerMethod.HIDDEN,
      serverCertificateManager: certificates('server'),
      userCertificateManager: certificates('users'),
    });
    await this.#server.initialize();
    const { addressSpace } = this.#server.engine;
    addressSpace.getOwnNamespace().addVariable({
      organizedBy: addressSpace.rootFolder.objects,
      browseName: 'Machine',
      nodeId: 's=Machine',
      dataType: 'UInt16',
      valueRank: 1,
      arrayDimensions: [2],
      minimumSamplingInterval: 50,
      value: {
        get: () => {
          this.#reads++;
          if (!this.#value) return opcua.StatusCodes.BadNoCommunication;
          return new opcua.Variant({
            dataType: opcua.DataType.UInt16,
            arrayType: opcua.VariantArrayType.Array,
            value: this.#value,
          });
        },
      },
    });
    await this.#server.start();
  }

  async stop(): Promise<void> {
    await this.#server?.shutdown(0);
  }
}

describe('example 04, a PLC moves a step by OPC UA', () => {
  plcMovesAStep({
    file: 'opcua/04-plc-moves-a-step.json',
    palette: 'node-red-contrib-opcua',
    plc: OpcuaPlc.start,
    changes: { machine: { time: '100', timeUnit: 'ms' } },
  });
});
