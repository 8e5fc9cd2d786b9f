import { render } from "preact";
import { App } from "./app";
import { choose, preferred } from "./i18n";
import "./styles/fonts.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/components.css";
import "./shell/shell.css";

const root = document.getElementById("page");
// Without its language the page speaks English.
const spoken = choose(preferred()).catch(() => choose("en"));
if (root) void spoken.then(() => render(<App />, root));
