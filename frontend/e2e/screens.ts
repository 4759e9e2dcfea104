/** Every screen that can be opened by its address alone: accessibility, widths and themes are tried on all of them. */
export const SCREENS = ['/', '/runs', '/runs/new', '/runs/compare?ids=penguins:1,penguins:2', '/models', '/models/penguins', '/models/penguins/1', '/datasets', '/datasets/penguins', '/datasets/penguins/1', '/predictions', '/monitoring', '/alerts', '/activity', '/settings'];
