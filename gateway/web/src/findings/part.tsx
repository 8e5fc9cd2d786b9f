import type { ComponentChildren } from "preact";

/** One part of the findings, with its heading. */
export function Part({
  title,
  aside,
  children,
}: {
  title: string;
  aside?: string;
  children: ComponentChildren;
}) {
  return (
    <section class="findings-part">
      <h2>
        <span>{title}</span>
        {aside && <span class="findings-aside">{aside}</span>}
      </h2>
      {children}
    </section>
  );
}
