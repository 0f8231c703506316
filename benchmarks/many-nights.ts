import { seededRandom } from '../harness/bench/random.ts';
import type { BenchmarkFinished, StoredEvent } from '../harness/events/types.ts';

/**
 * Synthetic events of a night, made from those of a real run: its benchmarks repeated, with noise, a busy host in some
 * nights, and every sixteenth series slower by a tenth from some night on.
 */
export function nightLike(
  events: readonly StoredEvent[],
  night: number,
  { nights, benchmarks }: { readonly nights: number; readonly benchmarks: number },
): { readonly name: string; readonly text: string } {
  const at = Date.UTC(2025, 0, 1, 3, 17) + night * 86_400_000;
  const shift = at - Date.parse(events[0]!.at);
  const random = seededRandom(`night ${night}`);
  const noise = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const busy = random() < 0.1 ? 1 + random() : 1;
  const name = new Date(at).toISOString().slice(0, 10);
  const ofCell = Map.groupBy(
    events.filter((event) => event.type === 'benchmark.finished'),
    ({ cell }) => cell,
  );
  const another = (event: BenchmarkFinished & StoredEvent, copy: number): StoredEvent => {
    const { measurement } = event;
    const own = seededRandom(`${event.cell} ${measurement.name} ${copy}`);
    const step = own() < 1 / 16 && night >= own() * nights ? 1.1 : 1;
    const counted = measurement.clock === 'instructions';
    const factor = step * (counted ? 1 : busy) * Math.exp((counted ? 0.0003 : 0.03) * noise());
    const samplesMs = measurement.samplesMs.map((ms) => ms * factor * Math.exp((counted ? 0.0001 : 0.02) * noise()));
    return { ...event, measurement: { ...measurement, name: `${measurement.name}, ${copy + 1}`, samplesMs } };
  };
  const copies = events.flatMap((event): StoredEvent[] => {
    if (event.type === 'run.started') return [{ ...event, run: name, git: { sha: sha(night), dirty: false } }];
    if (event.type === 'cell.finished' && random() < 0.02)
      return [{ ...event, verdict: 'flaky', reason: 'a test was flaky' }];
    if (event.type !== 'benchmark.finished') return [event];
    const place = ofCell.get(event.cell)!.indexOf(event);
    const times = Math.floor((benchmarks - place - 1) / ofCell.get(event.cell)!.length) + 1;
    return Array.from({ length: times }, (_, copy) => another(event, copy));
  });
  const text = copies
    .map((event, seq) => ({ ...event, seq, at: new Date(Date.parse(event.at) + shift).toISOString() }))
    .map((event) => `${JSON.stringify(event)}\n`)
    .join('');
  return { name, text };
}

function sha(night: number): string {
  return Math.floor(seededRandom(`commit ${night}`)() * 2 ** 48)
    .toString(16)
    .padStart(12, '0')
    .padEnd(40, '5');
}
