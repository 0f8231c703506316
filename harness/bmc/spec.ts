/** Commands on the controller, argv each. */
export interface CommandPower {
  readonly off: readonly string[];
  readonly on: readonly string[];
}

interface Login {
  readonly user: string;
  /** An absolute path. The password is its first line; it is in no argument, no environment and no handle. */
  readonly passwordFile: string;
}

/** A controller that speaks Redfish (DMTF DSP0266). */
export interface RedfishPower extends Login {
  /** Where it answers: `https://p9-bmc`, without a path. */
  readonly redfish: string;
  /** The Id of the system, where it has several. */
  readonly system?: string | undefined;
  /** An absolute path of a file with certificates (PEM) that its own is checked against, in place of the host's. */
  readonly ca?: string | undefined;
  /** SHA-256 of its certificate, as `AB:CD:…`: for one that nobody has signed. */
  readonly fingerprint?: string | undefined;
}

/** A controller that speaks IPMI 2.0 over the network. */
export interface IpmiPower extends Login {
  /** Its host. */
  readonly ipmi: string;
  readonly port?: number | undefined;
  /** The number of the cipher suite; absent: the one that ipmitool finds best. */
  readonly cipher?: number | undefined;
}

/** What switches a machine's power, as `machines.yaml` says it. */
export type PowerSpec = CommandPower | RedfishPower | IpmiPower;
