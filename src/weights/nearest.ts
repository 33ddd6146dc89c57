export { nearest } from "../ir/nearest.ts";
