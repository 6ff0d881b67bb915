// What a file of `deploy/grafana` is: Grafana's dashboard as JSON has it, where the members of an enum are their values.
import type { Dashboard } from "@grafana/schema";

type AsWritten<T> = T extends string
  ? `${T}`
  : T extends number | boolean | null | undefined
    ? T
    : T extends (infer Item)[]
      ? AsWritten<Item>[]
      : T extends object
        ? { [Key in keyof T]: AsWritten<T[Key]> }
        : T;

export type Written = AsWritten<Dashboard>;
