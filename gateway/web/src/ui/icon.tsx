// Line icons on a grid of 24; decoration beside words, so hidden from screen readers.
const PATHS = {
  answer: "M4 12.500l5 5L20 6.500",
  review: "M12 3l9.500 17h-19zM12 10v4.500M12 17.500v.1",
  refuse: "M12 3a9 9 0 100 18 9 9 0 000-18zM6 6l12 12",
  info: "M12 3a9 9 0 100 18 9 9 0 000-18zM12 11v5.500M12 7.600v.1",
  close: "M5 5l14 14M19 5L5 19",
  upload: "M12 16V4M7 9l5-5 5 5M4 16v4h16v-4",
  download: "M12 4v12M7 11l5 5 5-5M4 20h16",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v6M14 11v6",
  search: "M11 4a7 7 0 100 14 7 7 0 000-14zM16 16l4.500 4.500",
  print: "M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7z",
  link: "M10 14l4-4M8.500 11.500l-2.800 2.800a3.400 3.400 0 004.900 4.900l2.800-2.800M15.500 12.500l2.800-2.800a3.400 3.400 0 00-4.900-4.900l-2.800 2.800",
  window: "M12 3a9 9 0 100 18 9 9 0 000-18zM12 3v18M15 5v14M18 7.500v9",
  pan: "M12 3v18M3 12h18M12 3l-2.500 2.500M12 3l2.500 2.500M12 21l-2.500-2.500M12 21l2.500-2.500M3 12l2.500-2.500M3 12l2.500 2.500M21 12l-2.500-2.500M21 12l-2.500 2.500",
  zoom: "M11 4a7 7 0 100 14 7 7 0 000-14zM16 16l4.500 4.500M8 11h6M11 8v6",
  ruler: "M3 16L16 3l5 5L8 21zM7 12l2 2M10 9l2 2M13 6l2 2",
  probe: "M12 3v6M12 15v6M3 12h6M15 12h6",
  invert: "M12 3a9 9 0 100 18 9 9 0 000-18zM12 3v18M12 6h5M12 9h7M12 12h9M12 15h7M12 18h5",
  reset: "M4 12a8 8 0 108-8c-2.800 0-5 1.300-6.500 3.300M5 3v5h5",
  keyboard: "M3 6h18v12H3zM6 10h.1M10 10h.1M14 10h.1M18 10h.1M7 14h10",
  compare: "M4 5h7v14H4zM13 5h7v14h-7z",
  planes: "M3 4h8v7H3zM13 4h8v7h-8zM3 13h8v7H3zM13 13h8v7h-8z",
  cube: "M12 3l8 4.500v9L12 21l-8-4.500v-9zM12 12l8-4.500M12 12v9M12 12L4 7.500",
  eye: "M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12zM12 9a3 3 0 100 6 3 3 0 000-6z",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  fit: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.8"
      stroke-linecap="round"
      stroke-linejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
