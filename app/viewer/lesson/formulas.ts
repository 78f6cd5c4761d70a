// Numbers of the lesson's formulas, and how they are written.

import type { Comparison } from "./lesson_types.ts";

/** An affinity to three figures, without exponents. */
export function small(value: number): string {
  return value > 0 && value < 1e-6 ? "< 0.000001" : String(Number(value.toPrecision(3)));
}

/** A number to two decimals, with a minus sign of its width. */
export const signed = (value: number) => value.toFixed(2).replace("-", "−");

/** How an affinity compares with a threshold. */
export const signOf = (reached: unknown) => (reached ? "≥" : "<");

/** The class with the largest probability. */
export const likeliest = (shares: Float64Array) => shares.indexOf(Math.max(...shares));

/** The sum of a row or a column. */
export const sumOf = (values: Float64Array) => values.reduce((total, each) => total + each, 0);

/** The mean of a number of each method over its family, in words; null leaves a method out. */
export function byFamily(
  { rows }: Comparison, numberOf: (answer: Comparison["rows"][number]) => number | null, written: (value: number) => string,
): string {
  const families = new Map<string, number[]>();
  for (const each of rows) {
    const value = numberOf(each);
    if (value !== null) families.set(each.family, [...(families.get(each.family) ?? []), value]);
  }
  const mean = (values: number[]) => values.reduce((total, each) => total + each, 0) / values.length;
  return [...families].map(([family, values]) => `${family} ${written(mean(values))}`).join(" · ");
}

/** The share of their weight that two rows have in common, signs aside. */
export function inCommon(first: Float32Array, second: Float32Array): number {
  let [common, one, other] = [0, 0, 0];
  for (let j = 0; j < first.length; j++) {
    const [a, b] = [Math.abs(first[j]), Math.abs(second[j])];
    [common, one, other] = [common + Math.min(a, b), one + a, other + b];
  }
  return Math.min(common / Math.max(one, other, 1e-30), 1);
}
