// The tab "ION" of the sidebar. Its content is a separate bundle in resources/, which the page loads when
// the tab is first shown.
import { bundleLoader } from '../shared/load-bundle.js';
import type { ShowSidebar } from './bundle.js';

const ID = 'ion';
const ACTION = 'ion:show-ion-tab';
const loadSidebar = bundleLoader<ShowSidebar>('sidebar.js', () => window.ionSidebar);

/** Adds the tab, once for the page, until the package is removed. */
export function addSidebarTab(): void {
  // The script of a package runs again if the package is enabled or updated.
  if ($('#ion-sidebar').length > 0) return;
  const content = $('<div id="ion-sidebar">');
  RED.sidebar.addTab({
    ...{ id: ID, label: 'ION', name: 'ION', iconClass: 'fa fa-industry', content },
    ...{ enableOnEdit: true, action: ACTION },
  });
  whenFirstShown(content, () => loadSidebar().then((show) => show(content)));
  RED.actions.add(ACTION, () => RED.sidebar.show(ID));
  RED.events.on('registry:node-type-removed', (type) => {
    if (type === 'ion-config' && $('#ion-sidebar').length > 0) RED.sidebar.removeTab(ID);
  });
}

function whenFirstShown(content: JQuery, load: () => Promise<void>): void {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    observer.disconnect();
    load().catch((thrown) => content.text(String(thrown)));
  });
  if (content[0]) observer.observe(content[0]);
}
