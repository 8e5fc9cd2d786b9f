import type { ComponentChildren } from "preact";
import { number, t, word } from "../i18n";
import { AXES, LETTERS, type Voxel } from "./planes";
import { distanceMm, type Tile, toTile } from "./tiles";
import type { VolumeView } from "./view";

export interface Diameters {
  longest: readonly [Voxel, Voxel];
  perpendicular: readonly [Voxel, Voxel];
}

interface MarksProps {
  view: VolumeView;
  tiles: readonly Tile[];
  diameters: Diameters | null;
}

/** What is drawn over the planes: letters, diameters and measured lines. */
export function Marks({ view, tiles, diameters }: MarksProps) {
  return (
    <>
      <Lines view={view} tiles={tiles} diameters={diameters} />
      {tiles.map((tile, index) => (
        <Edges key={tile.plane} view={view} tile={tile} first={index === 0} />
      ))}
    </>
  );
}

function Lines({ view, tiles, diameters }: MarksProps) {
  return (
    <svg class="volume-marks" aria-hidden="true">
      {tiles.map((tile) => (
        <svg
          key={tile.plane}
          aria-hidden="true"
          x={tile.left}
          y={tile.top}
          width={tile.width}
          height={tile.height}
          viewBox={`${tile.left} ${tile.top} ${tile.width} ${tile.height}`}
          overflow="hidden"
        >
          {diameters && view.diameters.value && isWithin(view, tile, diameters) && (
            <g class="diameter">
              <Line tile={tile} view={view} ends={diameters.longest} />
              <Line tile={tile} view={view} ends={diameters.perpendicular} />
            </g>
          )}
          {view.measurements.value
            .filter(({ plane, from }) => plane === tile.plane && onSlice(view, tile, from))
            .map(({ from, to }) => (
              <Ruler key={`${from}-${to}`} view={view} tile={tile} from={from} to={to} />
            ))}
        </svg>
      ))}
    </svg>
  );
}

function onSlice(view: VolumeView, tile: Tile, at: Voxel): boolean {
  return Math.round(at[AXES[tile.plane].across]) === view.index(tile.plane);
}

/** Whether all of both diameters lies on the slice: elsewhere they would be drawn foreshortened. */
function isWithin(view: VolumeView, tile: Tile, { longest, perpendicular }: Diameters): boolean {
  return [...longest, ...perpendicular].every((end) => onSlice(view, tile, end));
}

function Line({ view, tile, ends }: { view: VolumeView; tile: Tile; ends: readonly [Voxel, Voxel] }) {
  const [from, to] = [toTile(tile, ends[0], view.shape), toTile(tile, ends[1], view.shape)];
  return <line x1={from.x} y1={from.y} x2={to.x} y2={to.y} />;
}

function Ruler({ view, tile, from, to }: { view: VolumeView; tile: Tile; from: Voxel; to: Voxel }) {
  const end = toTile(tile, to, view.shape);
  const length = number(distanceMm(from, to, view.spacing), 1);
  return (
    <g class="ruler">
      <Line view={view} tile={tile} ends={[from, to]} />
      <text x={end.x + 8} y={end.y - 6} data-testid="ruler-length">
        {length} mm
      </text>
    </g>
  );
}

/** Where the slice's name would lie on the letter at the top. */
const NARROW_PX = 250;

/** Letters at the four edges, and the slice's name. The first plane's letters can be found by name. */
function Edges({ view, tile, first }: { view: VolumeView; tile: Tile; first: boolean }) {
  const letters = LETTERS[tile.plane];
  const [middle, center] = [tile.top + tile.height / 2, tile.left + tile.width / 2];
  const id = (edge: string) => (first ? `orientation-${edge}` : undefined);
  const { index, of } = { index: view.index(tile.plane, view.told.value) + 1, of: view.slices(tile.plane) };
  const active = view.plane.value === tile.plane;
  return (
    <div class="volume-edges" dir="ltr">
      <Text left={tile.left + 8} top={middle} class="start" id={id("left")}>
        {letters.left}
      </Text>
      <Text left={tile.left + tile.width - 8} top={middle} class="end" id={id("right")}>
        {letters.right}
      </Text>
      <Text left={center} top={tile.top + (tile.width < NARROW_PX ? 24 : 6)} class="above" id={id("top")}>
        {letters.top}
      </Text>
      <Text left={center} top={tile.top + tile.height - 6} class="below" id={id("bottom")}>
        {letters.bottom}
      </Text>
      <Text left={tile.left + 8} top={tile.top + 6} class={active ? "name active" : "name"}>
        {t("volume.sliceShort", { plane: word("view", tile.plane), number: index, of })}
      </Text>
    </div>
  );
}

function Text(props: {
  left: number;
  top: number;
  class: string;
  id?: string | undefined;
  children: ComponentChildren;
}) {
  return (
    <span
      class={props.class}
      style={{ left: `${props.left}px`, top: `${props.top}px` }}
      data-testid={props.id}
    >
      {props.children}
    </span>
  );
}
