// The nodes that use a config node. A click selects the node in the flow.
import { nodeOfRunning } from '../subflows/instances.js';
import type { Status } from './status.js';
import { text } from './texts.js';

export interface UsersSection {
  element: JQuery;
  show(status: Status): void;
}

export function usersSection(): UsersSection {
  const summary = $('<summary>');
  const list = $('<ul class="ion-card-users">');
  const more = $('<p>').hide();
  const element = $('<details>').append(summary, list, more);
  let shown = '';
  return {
    element,
    show({ details: { users, userCount } }) {
      const current = JSON.stringify([users, userCount]);
      if (current === shown) return;
      shown = current;
      summary.text(text('users', { count: userCount }));
      list.empty().append(users.map(userItem));
      more.text(text('moreUsers', { count: users.length })).toggle(userCount > users.length);
    },
  };
}

function userItem({ id, type, name }: Status['details']['users'][0]): JQuery {
  const found = nodeOfRunning(id);
  const label = found ? RED.utils.getNodeLabel(found, name || type) : name || type;
  const kind = $('<span class="ion-card-kind">').text(type);
  if (!found) return $('<li>').append($('<span>').text(label), kind);
  const shownId = String(found.id);
  const button = $('<button type="button" class="ion-config-outbox-sender">')
    .append('<i class="fa fa-crosshairs" aria-hidden="true"></i> ', $('<span>').text(label))
    .attr('title', text('showNode', { name: label }))
    .on('click', () => {
      RED.view.reveal(shownId);
      RED.view.select(shownId);
    });
  return $('<li>').append(button, kind);
}
