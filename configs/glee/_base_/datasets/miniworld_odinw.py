# MiniWorld's five sets in the wild: below data/miniworld/odinw/dataset/ a folder each, as ODinW's.
folders = {
    name: (f'{name}/', 'valid/annotations_without_background.json', 'valid/')
    for name in ('Thermal', 'Night', 'Aerial', 'Insects', 'Mushrooms')
}
