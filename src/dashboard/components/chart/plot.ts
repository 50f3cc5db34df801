import uPlot from "uplot";
import { theme } from "../../state/theme.ts";
import { type ChartAppearance, chartOptions } from "./chart-options.ts";

export interface Plotted extends ChartAppearance {
  /** Seconds since 1970 or, with `xLabel`, any increasing numbers. */
  xs: readonly number[];
}

export interface Plot {
  update(data: Plotted): void;
  end(): void;
}

/** Draws into `element`, and again when its size or the theme changes. Texts and ranges come from `current`. */
export function drawPlot(
  element: HTMLElement,
  current: () => Plotted,
  onPoint: (index: number | null) => void,
): Plot {
  const plot = new uPlot(chartOptions(current, onPoint), dataOf(current()), element);
  const fit = () => plot.setSize({ width: element.clientWidth, height: element.clientHeight });
  const watch = new ResizeObserver(fit);
  watch.observe(element);
  const endTheme = theme.subscribe(() => plot.redraw(false));
  return {
    update: (data) => plot.setData(dataOf(data)),
    end() {
      watch.disconnect();
      endTheme();
      plot.destroy();
    },
  };
}

function dataOf({ xs, series }: Plotted): uPlot.AlignedData {
  return [[...xs], ...series.map(({ values }) => [...values])];
}
