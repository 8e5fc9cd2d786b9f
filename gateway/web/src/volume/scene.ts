// The volume as NiiVue draws it: a thin layer that owns the canvas' size, when it is drawn, and what lies where on it.
// NiiVue's own mouse and keys are off; the viewer's are the same for slices and volumes.
import { Niivue, NVImage, SHOW_RENDER, SLICE_TYPE } from "@niivue/niivue";
import type { ViewLabel } from "../api/types";
import type { LabelColor } from "./labels";
import { PLANES, type Voxel } from "./planes";
import { tilesOf } from "./shown-tiles";
import { SlicePainter } from "./slice-painter";
import { type Cell, cells, type Tile } from "./tiles";
import { drawnBySoftware } from "./webgl";

export type Layout = "planes" | "axial" | "render";

/** What is shown and how. `low` and `high` are display values of 0..255. */
export interface Look {
  layout: Layout;
  at: Voxel;
  zoom: number;
  panMm: Voxel;
  low: number;
  high: number;
  inverted: boolean;
  fill: number;
  rim: number;
  hidden: ReadonlySet<string>;
  azimuth: number;
  elevation: number;
}

const SLICE_TYPES: Record<ViewLabel, SLICE_TYPE> = {
  axial: SLICE_TYPE.AXIAL,
  coronal: SLICE_TYPE.CORONAL,
  sagittal: SLICE_TYPE.SAGITTAL,
};
const REST_MS = 350;
/** Without a graphics card drawings are coarser while the hand moves, about a pixel a voxel, and full when it rests. */
const COARSE = 0.42;
/** A 4k stage has more pixels than a volume has voxels. */
const MAX_PIXELS = 2_400_000;

export class VolumeScene {
  private readonly nv: Niivue;
  private shape: Voxel = [1, 1, 1];
  private spacing: Voxel = [1, 1, 1];
  private labels: readonly LabelColor[] = [];
  private look: Look | null = null;
  private size = { width: 1, height: 1 };
  private laidOut: Cell[] = [];
  private frame = 0;
  private rest: ReturnType<typeof setTimeout> | null = null;
  private resting = false;
  /** Whether there is no graphics card. */
  software = false;
  private painter: SlicePainter | null = null;
  private inColor = "";
  private loads = 0;
  /** Called after each drawing with the planes on the canvas; there are none in 3D. */
  onDrawn: (tiles: Tile[]) => void = () => {};

  private constructor(private readonly canvas: HTMLCanvasElement) {
    this.nv = new Niivue({
      logLevel: "error",
      interactive: false,
      isResizeCanvas: false,
      dragAndDropEnabled: false,
      isRadiologicalConvention: true,
      sagittalNoseLeft: true,
      isOrientationTextVisible: false,
      multiplanarShowRender: SHOW_RENDER.NEVER,
      crosshairWidth: 0,
      backColor: [0, 0, 0, 1],
      loadingText: "",
    });
  }

  /** Raises where there is no WebGL 2. */
  static async open(canvas: HTMLCanvasElement): Promise<VolumeScene> {
    const scene = new VolumeScene(canvas);
    // NiiVue takes the context that is there. One without alpha needs no blending with the page.
    canvas.getContext("webgl2", { alpha: false, antialias: false });
    await scene.nv.attachToCanvas(canvas, false);
    scene.painter = new SlicePainter(scene.nv);
    scene.software = drawnBySoftware(scene.nv.gl);
    return scene;
  }

  /** Shows a sequence with its mask; both are gzipped NIfTI on the same grid. */
  async load(sequence: ArrayBuffer, mask: ArrayBuffer | null, labels: readonly LabelColor[]): Promise<void> {
    const turn = ++this.loads;
    const picture = await NVImage.loadFromUrl({
      url: sequence,
      name: "sequence.nii.gz",
      colormap: "gray",
      cal_min: 0,
      cal_max: 255,
    });
    const images = [picture];
    if (mask) images.push(await NVImage.loadFromUrl({ url: mask, name: "mask.nii.gz", opacity: 1 }));
    // Another sequence was chosen meanwhile, or the viewer was left.
    if (turn !== this.loads) return;
    this.labels = labels;
    const [, x = 1, y = 1, z = 1] = picture.dimsRAS ?? [];
    const [, dx = 1, dy = 1, dz = 1] = picture.pixDimsRAS ?? [];
    this.shape = [x, y, z];
    this.spacing = [dx, dy, dz];
    this.nv.volumes = images;
    this.nv.back = picture;
    this.nv.overlays = images.slice(1);
    this.inColor = "";
    this.paintLabels(new Set());
    this.layOut();
    this.request();
  }

  show(look: Look): void {
    const laidOutAnew = look.layout !== this.look?.layout;
    this.look = look;
    if (laidOutAnew) this.layOut();
    this.request();
  }

  resize(width: number, height: number): void {
    this.size = { width: Math.max(1, width), height: Math.max(1, height) };
    this.layOut();
    this.request();
  }

  /** RAS mm of a voxel. */
  millimeters(at: Voxel): Voxel {
    const mm = this.nv.frac2mm(this.fraction(at), 0, true);
    return [mm[0] ?? 0, mm[1] ?? 0, mm[2] ?? 0];
  }

  /** The (fractional) voxel at RAS mm. */
  voxel(mm: Voxel): Voxel {
    const frac = this.nv.mm2frac([mm[0], mm[1], mm[2]], 0, true);
    return [0, 1, 2].map((axis) => (frac[axis] ?? 0) * (this.shape[axis] ?? 1) - 0.5) as unknown as Voxel;
  }

  /** Indices of a voxel in the array of the file, its display value, and the value of the mask there. */
  probe(at: Voxel): { index: Voxel; gray: number; label: number } {
    const mm = [...this.millimeters(at)];
    const [i = 0, j = 0, k = 0] = this.nv.volumes[0]?.mm2vox(mm) ?? [];
    const values = this.nv.volumes.map((volume) => volume.getValue(i, j, k));
    return { index: [i, j, k], gray: values[0] ?? 0, label: values[1] ?? 0 };
  }

  /** The pan with which `voxel` stays where it is when the zoom becomes `zoom`. */
  panFor(voxel: Voxel, zoom: number): Voxel {
    const { panMm, zoom: before } = this.look ?? { panMm: [0, 0, 0], zoom: 1 };
    const mm = this.nv.frac2mm(this.fraction(voxel));
    return [0, 1, 2].map(
      (axis) => (panMm[axis] ?? 0) + (mm[axis] ?? 0) * (before - zoom),
    ) as unknown as Voxel;
  }

  close(): void {
    this.loads += 1;
    cancelAnimationFrame(this.frame);
    if (this.rest) clearTimeout(this.rest);
    this.onDrawn = () => {};
    this.nv.cleanup();
    this.nv.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  private fraction([x, y, z]: Voxel): [number, number, number] {
    const [wide, deep, tall] = this.shape;
    return [(x + 0.5) / wide, (y + 0.5) / deep, (z + 0.5) / tall];
  }

  private layOut(): void {
    if (!this.look) return;
    const planes = this.look.layout === "axial" ? PLANES.slice(0, 1) : PLANES;
    this.laidOut = cells(this.size, planes, this.shape, this.spacing);
  }

  private request(): void {
    if (this.frame === 0) this.frame = requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    this.frame = 0;
    const look = this.look;
    if (!look || this.nv.volumes.length === 0) return;
    const coarse = this.software && !this.resting;
    this.resting = false;
    this.sizeCanvas(coarse ? COARSE : 1, look.layout);
    this.apply(look);
    this.nv.drawScene();
    this.onDrawn(look.layout === "render" ? [] : tilesOf(this.nv, this.laidOut));
    if (this.rest) clearTimeout(this.rest);
    this.rest = coarse ? setTimeout(() => this.sharpen(), REST_MS) : null;
  }

  private sharpen(): void {
    this.resting = true;
    this.request();
  }

  private sizeCanvas(share: number, layout: Layout): void {
    const { width, height } = this.size;
    const ratio = Math.min(window.devicePixelRatio || 1, 2, Math.sqrt(MAX_PIXELS / (width * height)));
    const scale = ratio * (layout === "render" && share < 1 ? share * 0.6 : share);
    const [wide, tall] = [Math.round(width * scale), Math.round(height * scale)];
    if (this.canvas.width !== wide) this.canvas.width = wide;
    if (this.canvas.height !== tall) this.canvas.height = tall;
    this.nv.uiData.dpr = scale;
  }

  private apply(look: Look): void {
    const { scene, opts } = this.nv;
    scene.crosshairPos = this.fraction(look.at);
    scene.pan2Dxyzmm = [look.panMm[0], look.panMm[1], look.panMm[2], look.zoom];
    if (look.layout === "render") {
      this.paintLabels(look.hidden);
      opts.sliceType = SLICE_TYPE.RENDER;
      scene.renderAzimuth = look.azimuth;
      scene.renderElevation = look.elevation;
      scene.volScaleMultiplier = look.zoom;
      return;
    }
    opts.sliceType = SLICE_TYPE.MULTIPLANAR;
    const { width, height } = this.size;
    this.nv.customLayout = this.laidOut.map((cell) => ({
      sliceType: SLICE_TYPES[cell.plane],
      position: [cell.left / width, cell.top / height, cell.width / width, cell.height / height],
    }));
    this.painter?.set(look, this.labels);
  }

  /** Colors the mask's texture; hidden labels only leave it in 3D, where it is drawn as it is. */
  private paintLabels(hidden: ReadonlySet<string>): void {
    const mask = this.nv.volumes[1];
    const wanted = this.labels.map(({ name }) => (hidden.has(name) ? 0 : 255)).join();
    if (wanted === this.inColor) return;
    this.inColor = wanted;
    if (mask) {
      const channel = (index: 0 | 1 | 2) => [0, ...this.labels.map(({ rgb }) => rgb[index])];
      mask.setColormapLabel({
        R: channel(0),
        G: channel(1),
        B: channel(2),
        A: [0, ...this.labels.map(({ name }) => (hidden.has(name) ? 0 : 255))],
        I: [0, ...this.labels.map(({ value }) => value)],
      });
    }
    this.nv.updateGLVolume();
  }
}
