// Gray pictures of the gateway as values, once decoded; and the canvases that they are shown from.
import { api } from "../api/client";
import { look } from "./lut";

/** 8-bit values, row by row. */
export interface Gray {
  columns: number;
  rows: number;
  values: Uint8Array;
}

/** The 8-bit gray picture at `path`. Throws what `api` throws, and a DOMException where it is no picture. */
export async function loadGray(path: string, signal?: AbortSignal): Promise<Gray> {
  const bytes = await api.bytes(path, signal);
  // No color management: the values are measured, not only seen.
  const bitmap = await createImageBitmap(new Blob([bytes]), { colorSpaceConversion: "none" });
  const context = newContext(bitmap.width, bitmap.height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const {
    width,
    height,
    data: channels,
  } = context.getImageData(0, 0, context.canvas.width, context.canvas.height);
  const values = new Uint8Array(width * height);
  for (let index = 0; index < values.length; index++) values[index] = channels[4 * index] as number;
  return { columns: width, rows: height, values };
}

/** In memory, not on a GPU: pixels are read from it or put into it, again and again. */
function newContext(width: number, height: number): CanvasRenderingContext2D {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("This browser draws no 2D canvas.");
  return context;
}

/** A picture's values through a table, as a canvas that is painted anew when the table changes. */
export class Tinted {
  readonly canvas: HTMLCanvasElement;
  private readonly context: CanvasRenderingContext2D;
  private readonly image: ImageData;
  private readonly pixels: Uint32Array;
  private key = "";

  constructor(private readonly gray: Gray) {
    this.context = newContext(gray.columns, gray.rows);
    this.canvas = this.context.canvas;
    this.image = this.context.createImageData(gray.columns, gray.rows);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  /** `key` names the table: the same key again paints nothing. */
  paint(key: string, table: () => Uint32Array): HTMLCanvasElement {
    if (key !== this.key) {
      look(this.gray.values, table(), this.pixels);
      this.context.putImageData(this.image, 0, 0);
      this.key = key;
    }
    return this.canvas;
  }
}
