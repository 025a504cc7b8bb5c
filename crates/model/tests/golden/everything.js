// Written by espressync codegen from the schema. Change the schema instead.
import { initSchema } from "aws-amplify/datastore";
import { schema } from "./schema.js";

export const Size = {
  SMALL: "SMALL",
  EXTRA_LARGE: "EXTRA_LARGE",
};

export const { Shop, Barista, Address } = initSchema(schema);
