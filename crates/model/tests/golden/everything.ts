// Written by espressync codegen from the schema. Change the schema instead.
import { initSchema } from "aws-amplify/datastore";
import type { AsyncCollection, AsyncItem, CompositeIdentifier, CustomIdentifier, ModelInit, MutableModel, OptionallyManagedIdentifier, __modelMeta__ } from "aws-amplify/datastore";
import { schema } from "./schema";

export enum Size {
  SMALL = "SMALL",
  EXTRA_LARGE = "EXTRA_LARGE",
}

export type Address = {
  readonly street: string;
  readonly type?: Size | keyof typeof Size | null;
  readonly tags?: (string)[] | null;
};

export type Shop = {
  readonly [__modelMeta__]: {
    identifier: CompositeIdentifier<Shop, ["code", "city"]>;
    readOnlyFields: "createdAt" | "updatedAt";
  };
  readonly code: string;
  readonly city: string;
  readonly seats: number;
  readonly rating?: number | null;
  readonly open?: boolean | null;
  readonly size: Size | keyof typeof Size;
  readonly sizes?: (Size | keyof typeof Size | null)[] | null;
  readonly address?: Address | null;
  readonly branches: (Address)[];
  readonly seen?: number | null;
  readonly createdAt?: string | null;
  readonly updatedAt?: string | null;
  readonly baristas: AsyncCollection<Barista>;
};

export type Barista = {
  readonly [__modelMeta__]: {
    identifier: OptionallyManagedIdentifier<Barista, "id">;
    readOnlyFields: "createdAt" | "updatedAt";
  };
  readonly id: string;
  readonly name: string;
  readonly createdAt?: string | null;
  readonly updatedAt?: string | null;
  readonly shopBaristasCode?: string | null;
  readonly shopBaristasCity?: string | null;
  readonly shop: AsyncItem<Shop | undefined>;
};

const made = initSchema(schema) as unknown as {
  Shop: (new (init: ModelInit<Shop>) => Shop) & { copyOf(source: Shop, mutator: (draft: MutableModel<Shop>) => MutableModel<Shop> | void): Shop };
  Barista: (new (init: ModelInit<Barista>) => Barista) & { copyOf(source: Barista, mutator: (draft: MutableModel<Barista>) => MutableModel<Barista> | void): Barista };
  Address: new (init: ModelInit<Address>) => Address;
};
export const { Shop, Barista, Address } = made;
