// Twins: two networks that were trained alike and differ in the block of attention alone.

import { AS_TRAINED, rowOf } from "../core/attention.ts";
import { cellOf } from "../core/geometry.ts";
import { numbersOf } from "../core/numbers.ts";
import type { Packets } from "../core/opening.ts";
import { readPacket } from "../core/packet.ts";
import type { Host } from "../core/host_types.ts";
import type { Opened, Pixel, Session, Twin } from "../types.ts";

/** The twin of a network, by their cards; null where it has none. */
export function twinOf(network: string | null, networks: Host["networks"]): string | null {
  return networks.find(({ name }) => name === network)?.twin ?? null;
}

/** Answers queries of a picture by the twin of its network; the picture that was asked about last is kept. */
export class Twins {
  private readonly host: Host;
  private readonly packets: Packets;
  private known: { picture: string; network: string; session: Promise<Session> } | null = null;

  constructor(host: Host, packets: Packets) {
    this.host = host;
    this.packets = packets;
  }

  /** The row of a pixel by the twin, as it was trained; null where there is none. */
  async row({ picture, network }: Opened, pixel: Pixel): Promise<Twin | null> {
    const twin = twinOf(network, this.host.networks);
    if (!twin) return null;
    if (this.known?.picture !== picture || this.known.network !== twin) {
      this.known = { picture, network: twin, session: this.packets.get(picture, twin).then(readPacket) };
    }
    const { known } = this;
    try {
      const session = await known.session, row = rowOf(session, cellOf(session, pixel), AS_TRAINED);
      return { session, row: { ...row, numbers: numbersOf(session, row) } };
    } catch (error) {
      if (this.known === known) this.known = null;
      throw error;
    }
  }
}
