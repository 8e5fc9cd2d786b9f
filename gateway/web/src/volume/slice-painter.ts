// Tells the slice shader how to color: window, outline and crosshair.
import type { Niivue } from "@niivue/niivue";
import { parseHex, type Rgb } from "../ui/color";
import type { LabelColor } from "./labels";
import type { Look } from "./scene";
import { MAX_LABELS, SLICE_SHADER } from "./slice-shader";

const RIM_PX = 1.5;
const CROSS_ALPHA = 0.6;
const CROSS_GAP_PX = 9;

export class SlicePainter {
  private readonly places = new Map<string, WebGLUniformLocation | null>();
  private readonly cross: Rgb;

  /** Makes NiiVue draw slices with the page's shader. */
  constructor(private readonly nv: Niivue) {
    nv.setCustomSliceShader(SLICE_SHADER);
    this.cross = parseHex(getComputedStyle(document.documentElement).getPropertyValue("--accent"));
  }

  set(look: Look, labels: readonly LabelColor[]): void {
    const { gl, customSliceShader: shader } = this.nv;
    if (!shader) return;
    shader.use(gl);
    const place = (name: string) => this.place(shader.program, name);
    const dpr = this.nv.uiData.dpr ?? 1;
    const [x = 0, y = 0, z = 0] = this.nv.scene.crosshairPos;
    gl.uniform2f(place("shown"), look.low / 255, Math.max(look.high, look.low + 1) / 255);
    gl.uniform1f(place("inverted"), look.inverted ? 1 : 0);
    gl.uniform1f(place("rim"), look.rim);
    gl.uniform1f(place("rimWidth"), RIM_PX * dpr);
    gl.uniform3f(place("cross"), x, y, z);
    gl.uniform4f(place("crossColor"), ...share(this.cross), CROSS_ALPHA);
    gl.uniform1f(place("crossGap"), CROSS_GAP_PX * dpr);
    const known = labels.slice(0, MAX_LABELS);
    gl.uniform1i(place("labelCount"), known.length);
    known.forEach(({ name, rgb }, index) => {
      gl.uniform3f(place(`labelColor[${index}]`), ...share(rgb));
      gl.uniform1f(place(`labelFill[${index}]`), look.hidden.has(name) ? -1 : look.fill);
    });
  }

  private place(program: WebGLProgram, name: string): WebGLUniformLocation | null {
    const known = this.places.get(name);
    if (known !== undefined) return known;
    const found = this.nv.gl.getUniformLocation(program, name);
    this.places.set(name, found);
    return found;
  }
}

function share([red, green, blue]: Rgb): [number, number, number] {
  return [red / 255, green / 255, blue / 255];
}
